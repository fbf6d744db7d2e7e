"""What is kept is divided so that each part fits into a ConfigMap."""

from __future__ import annotations

import random

import pytest

from planera_ci.cluster.kept import compressed, counted, divided, parts_of


@pytest.mark.parametrize(("length", "sizes"), [(0, [0]), (1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4]), (9, [4, 4, 1])])
def test_parts_are_the_whole(length: int, sizes: list[int]) -> None:
    """Nothing is lost, no part is too long, and there is always a first one."""
    data = bytes(range(length))
    parts = divided(data, 4)
    assert [len(part) for part in parts] == sizes
    assert b"".join(parts) == data


def test_first_part_says_how_many_there_are() -> None:
    """One that says nothing is alone, as all were before there were parts."""
    assert counted(1) == {}
    assert [parts_of({"data": {"record": "{}", **counted(number)}}) for number in (1, 2, 7)] == [1, 2, 7]
    assert [parts_of(live) for live in (None, {}, {"data": None})] == [1, 1, 1]


def test_ten_megabytes_of_noise_fit() -> None:
    """What cannot be compressed takes as many parts as it needs, each with room for a record beside it."""
    noise = random.Random(1).randbytes(5_000_000).hex()
    parts = divided(compressed(noise))
    assert len(parts) > 10
    assert max(map(len, parts)) < 2**20 / 2
