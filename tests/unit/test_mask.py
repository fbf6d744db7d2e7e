"""No value of a secret is shown, in whatever form it turns up."""

from __future__ import annotations

import base64
import json
import random
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from planera_ci.domain.mask import MASK, masked

LETTERS = "abcXYZ019-_./+ =&%\"'\\äß€\n\t:@"


@pytest.mark.cases("mask")
def test_values_are_hidden_and_the_rest_is_left(case: Any) -> None:
    """What is a value, in one of its forms, becomes the mask; nothing else changes."""
    assert masked(case["text"], case["values"]) == case["shows"]


def _forms(value: str) -> list[str]:
    """Return a value as logs, manifests, URLs and JSON show it."""
    bare = value.strip()
    return [
        value,
        bare,
        base64.b64encode(value.encode()).decode(),
        base64.b64encode(bare.encode()).decode(),
        quote(bare, safe=""),
        quote_plus(bare),
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps({"deep": [bare]}, indent=2),
        json.dumps(json.dumps({"deep": [bare]})),
        base64.b64encode(f"user:{bare}".encode()).decode(),
        base64.urlsafe_b64encode(bare.encode()).decode().rstrip("="),
        bare.encode().hex(),
        repr(bare),
    ]


def test_no_form_of_any_value_is_left() -> None:
    """For any values and any text around them, masked text holds none of their forms."""
    chance = random.Random(4)
    for _ in range(150):
        values = ["".join(chance.choices(LETTERS, k=chance.randint(6, 40))) for _ in range(3)]
        values = [value for value in values if len(value.strip()) >= 4]
        forms = [form for value in values for form in _forms(value)]
        chance.shuffle(forms)
        text = masked(" | ".join(forms), values)
        for value in values:
            assert value not in text
            assert value.strip() not in text
            assert all(form.strip('"') not in text for form in _forms(value)[2:8])


def test_masked_text_stays_as_it_is() -> None:
    """Evidence that is masked twice is what it was after the first time."""
    values = ["hunter2-token", 'a"b\\c-d', "x" * 40]
    text = "\n".join(form for value in values for form in _forms(value))
    once = masked(text, values)
    assert masked(once, values) == once
    assert MASK in once


def test_order_of_the_values_does_not_matter() -> None:
    """Two runs hide the same."""
    values = ["secret", "secret-and-more", "and-more-secret", "more"]
    text = "secret-and-more-secret and more secret"
    assert len({masked(text, order) for order in (values, values[::-1], sorted(values))}) == 1
