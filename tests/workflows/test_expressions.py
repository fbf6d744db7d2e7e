"""Expressions come to what GitHub makes of them; what is not known here is an error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflows.expressions import Outputs, UnknownExpressionError, evaluated, filled, holds, places

CONTEXTS = {
    "github": {"token": "t", "event": {"repository": {"visibility": "private"}}},
    "inputs": {"environment": None, "to": 0.0, "empty": "", "phrase": "it's"},
    "steps": {"ci": {"outputs": Outputs(url="https://x")}},
    "secrets": {"SET": "s", "UNSET": ""},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("secrets.SET || github.token", "s"),
        ("secrets.UNSET || github.token", "t"),
        ("inputs.environment || 'production'", "production"),
        ("secrets.SET && 'yes' || 'no'", "yes"),
        ("!secrets.UNSET", True),
        ("github.event.repository.visibility != 'public'", True),
        ("github.event.repository.visibility == 'PRIVATE'", True),
        ("inputs.environment == ''", True),
        ("inputs.environment == false", True),
        ("inputs.environment != 'public'", True),
        ("inputs.to == 0 && inputs.empty == 0", True),
        ("'it''s' == inputs.phrase", True),
        ("(true || false) && null", None),
        ("steps.ci.outputs.never", ""),
    ],
)
def test_expression_has_the_value_that_github_gives_it(expression: str, value: Any) -> None:
    """Operators return values, texts are compared whatever their case, other kinds as numbers."""
    assert evaluated(expression, CONTEXTS) == value


@pytest.mark.parametrize(
    "expression",
    [
        *("secrets.OTHER", "vars.X", "secrets", "github.event.repository", "steps.other.outputs.url"),
        *("contains(inputs.phrase, 'i')", "hashFiles('x')", "inputs['to']", "a b", "'open", "(true", "", "1 <= 2"),
    ],
)
def test_what_is_not_known_is_an_error(expression: str) -> None:
    """A misspelt secret is not an empty one here, and a function is not guessed."""
    with pytest.raises(UnknownExpressionError):
        evaluated(expression, CONTEXTS)


@pytest.mark.parametrize(
    ("value", "text"),
    [("${{ inputs.to }}", "0"), ("a-${{ inputs.environment || 'b' }}-c", "a-b-c"), (True, "true"), (None, "")],
)
def test_text_is_filled_as_github_fills_it(value: Any, text: str) -> None:
    """A number has no point, nothing is an empty text."""
    assert filled(value, CONTEXTS) == text


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure"),
    [
        (None, True, False),
        ("failure()", False, True),
        ("${{ always() }}", True, True),
        ("secrets.SET == 's'", True, False),
        ("failure() && secrets.SET == 's'", False, True),
        ("success() || secrets.UNSET", True, False),
    ],
)
def test_condition_means_after_success_unless_it_asks(
    condition: str | None, *, after_success: bool, after_failure: bool
) -> None:
    """A step runs after a failure only if its condition asks for the state."""
    assert holds(condition, CONTEXTS, failed=False) is after_success
    assert holds(condition, CONTEXTS, failed=True) is after_failure


def test_expressions_are_found_however_deep() -> None:
    """The rules about where they may stand look at all of them."""
    assert list(places({"a": ["x ${{ one }}", {"b": "${{ two }}${{ three }}"}], "c": 1})) == ["one", "two", "three"]
