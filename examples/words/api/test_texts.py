import json
import unittest

from texts import LONGEST, Refused, answer_of, text_of


class Texts(unittest.TestCase):
    def test_text_is_taken_as_it_is(self):
        self.assertEqual(text_of('{"text": " Ähre \\ud83c\\udf3e"}'.encode()), " Ähre 🌾")

    def test_what_is_no_text_is_refused(self):
        bad = ["", "[]", "{}", "[" * 100_000, '{"text": 1}', '{"text": " "}']
        for body in [*bad, '{"text": "\\u0000"}', '{"text": "\\ud800"}', json.dumps({"text": "x" * (LONGEST + 1)})]:
            with self.subTest(body[:30]), self.assertRaises(Refused):
                text_of(body.encode())

    def test_text_that_nobody_has_counted_is_not_done(self):
        self.assertEqual(answer_of(7, None), ({"id": 7, "state": "waits"}, 202))
        self.assertEqual(answer_of(7, {"total": 2}), ({"id": 7, "state": "counted", "total": 2}, 200))
