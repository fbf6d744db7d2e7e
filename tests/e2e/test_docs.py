"""What the documentation shows is what happens: its commands are typed, state by state, and print what it shows."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest

from tests.docs.blocks import Command, Mark, commands
from tests.docs.calls import call_of
from tests.docs.output import problems
from tests.docs.states import STATES
from tests.e2e.reader import Reader
from tests.e2e.shim import served_in
from tests.e2e.test_cli import TYPED


def _typed(state: str) -> list[list[Command]]:
    """Return the commands of a state in the order of the pages; the same one on several pages is typed once."""
    same: dict[tuple[str, tuple[str, ...]], list[Command]] = {}
    for each in commands():
        if each.mark == Mark("run when", state):
            same.setdefault((re.sub(r"\s+# .*", "", each.text), each.before), []).append(each)
    return list(same.values())


def _for_the_cli() -> set[str]:
    """Return the commands that have a verb or a flag which is not typed elsewhere, as few as can be."""
    typed, chosen = set(TYPED), set[str]()
    for state in reversed(STATES):
        for command, *_ in reversed(_typed(state)):
            call = call_of(command.text)
            has = {(call.function, flag) for flag in ("", *call.flags)} if call else set()
            if not has <= typed:
                chosen.add(command.text)
                typed |= has
    return chosen


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Have a clone of this repository, with an owner and hosts of its own."""
    quick = tmp_path_factory.mktemp("bin")
    with served_in(quick):
        one = Reader(f"t{secrets.token_hex(3)}", tmp_path_factory.mktemp("reader"), quick, _for_the_cli())
        yield one
    one.app.remove()


@pytest.mark.parametrize("state", STATES)
def test_commands_print_what_the_documentation_shows(reader: Reader, state: str) -> None:
    """An error is shown where one is printed, and nothing is shown that is not."""
    reader.enter(state)
    mistakes: list[str] = []
    for same in _typed(state):
        code, printed = reader.types(same[0])
        wrong = [f"{each}: {told}" for each in same for told in problems(each.shown, printed)]
        if bool(code) != any(line.startswith("Error: ") for each in same for line in each.shown):
            wrong.append(f"{same[0]}: exit code {code}")
        mistakes.extend([*wrong, f"$ {same[0].text}", printed] if wrong else [])
    assert not mistakes, "\n".join(mistakes)
