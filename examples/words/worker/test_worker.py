import unittest

from worker import MOST, counted


class Counted(unittest.TestCase):
    def test_words_are_counted_whatever_their_case(self):
        found = counted("To be, or not to be: that's it.")
        self.assertEqual(
            found, {"total": 8, "common": [("be", 2), ("to", 2), ("it", 1), ("not", 1), ("or", 1), ("that's", 1)]}
        )

    def test_letters_of_every_script_are_letters(self):
        self.assertEqual(counted("Ähre 42 слово слово_")["common"], [("слово", 2), ("ähre", 1)])

    def test_text_without_words_is_counted_too(self):
        self.assertEqual(counted("… 3 + 4 = 7"), {"total": 0, "common": []})

    def test_only_the_commonest_are_kept(self):
        self.assertEqual(len(counted(" ".join("a" * n for n in range(1, 50)))["common"]), MOST)
