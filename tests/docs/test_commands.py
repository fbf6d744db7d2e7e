"""Every command that the documentation shows is run by a test, or says why not; and names only what there is."""

from __future__ import annotations

import re

import pytest

from tests.docs import calls
from tests.docs.blocks import Command, commands, commands_of, first_word, pages, read
from tests.docs.states import STATES
from tests.texts import ROOT

COMMANDS = commands()
_HELPERS = ("tests/e2e/harness.py", "tests/e2e/conftest.py")
_MOVES = {"cd", "export", "ls", "head", "cat", "cp", "rm", "mkdir", "eval", "jq"}
"""Programs of which a test in its own words has no need."""


def test_commands_are_found() -> None:
    """The tests below look at something."""
    assert {"README.md", "CONTRIBUTING.md", "k8s/README.md", "lab/README.md"} <= {command.page for command in COMMANDS}
    assert sum(bool(calls.call_of(command.text)) for command in COMMANDS) > 20


@pytest.mark.parametrize("page", pages())
def test_each_command_says_who_runs_it(page: str) -> None:
    """A block of commands follows `<!-- run when STATE -->`, `<!-- run by FILE -->` or `<!-- not run: REASON -->`."""
    assert not [f"{each}: {each.text}" for each in COMMANDS if each.page == page and each.mark is None]


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.mark], ids=str)
def test_what_is_said_of_a_command_is_so(command: Command) -> None:
    """The state is one that is made, the test has the words of the command, the reason is a sentence's worth."""
    assert command.mark
    if command.mark.kind == "run when":
        assert command.mark.what in STATES
    elif command.mark.kind == "run by":
        files = command.mark.what.split(", ")
        text = "".join((ROOT / file).read_text(encoding="utf-8") for file in (*files, *_HELPERS))
        assert not [word for word in words(command.text) if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]
    else:
        assert len(command.mark.what.split()) > 2, "say why"


def words(text: str) -> list[str]:
    """Return the words of a command that a test cannot do without; the module's own flags are the same in each call."""
    call = calls.call_of(text)
    if call:
        return [call.function, *(f"--{flag}" for flag in call.flags if len(flag) > 1)]
    program = first_word(text)
    if program in _MOVES:
        return []
    rest = text[text.index(program) + len(program) :].split()
    return [program, *(word for word in rest[:1] if re.fullmatch(r"[\w./-]+", word))]


@pytest.mark.parametrize("page", pages())
def test_calls_name_what_the_module_has(page: str) -> None:
    """Functions and flags, in blocks and within sentences, are those of the module."""
    text = read(page)
    shown = [found for each in COMMANDS if each.page == page and (found := calls.call_of(each.text))]
    told = [found for span in calls.spans(text) if (found := calls.call_of(span) or calls.verb_of(span))]
    assert not [(call.function, unknown) for call in (*shown, *told) if (unknown := call.unknown())]


def test_targets_of_make_exist() -> None:
    """`make NAME` in the documentation is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name for page in pages() for name in re.findall(r"(?:`|^    |\$ )make ([a-z0-9]+)", read(page), re.MULTILINE)
    }
    assert "test" in named
    assert named <= targets


def test_command_and_output_are_told_apart() -> None:
    """Prompts, continued lines, comments and output; a block of programs; one that shows something else."""
    page = "<!-- run when fresh -->\n\n    $ ls \\\n      -l\n    total 0\n\n    $ make test # all\n\ntext\n"
    first, second = commands_of("x.md", page)
    assert (first.line, first.text, first.shown) == (3, "ls \\\n  -l", ("total 0",))
    assert (second.text, second.shown, second.mark) == ("make test # all", (), first.mark)
    assert [each.text for each in commands_of("x.md", "```\ncd a\n# b\nA=1 make c\n```\n")] == ["cd a", "A=1 make c"]
    assert not list(commands_of("x.md", "    deploy planera to staging: make it so.\n"))


def test_mark_is_of_the_block_that_follows() -> None:
    """One for the page is for the blocks that have none of their own."""
    page = "<!-- page not run: an example -->\n\n    ls\n\na\n\n<!-- run by a.py -->\n\n    ls\n\nb\n\n    ls\n"
    page += "\n1. one\n\n       <!-- run when fresh -->\n\n       ls\n       ls\n"
    kinds = [command.mark.kind for command in commands_of("x.md", page) if command.mark]
    assert kinds == ["not run:", "run by", "not run:", "run when", "run when"]


def test_unknown_flag_and_function_are_found() -> None:
    """The test of the calls can fail: at the wrong place, misspelt, or none at all."""
    assert calls.Call("deploy", ("owner",), ("env",)).unknown() == []
    call = calls.call_of("dagger -m ../x call --owner YOU --kubeconfig=file://x deploy --envs staging -o x | cat")
    assert call
    assert call == calls.Call("deploy", ("owner", "kubeconfig"), ("envs", "o"))
    assert call.unknown() == ["envs"]
    assert calls.Call("undo", (), ()).unknown() == ["undo"]
    chained = calls.call_of("dagger call inside --component backend with-exec --args ls stdout")
    assert chained == calls.Call("inside", (), ("component",))
    late = calls.verb_of("deploy --env staging --owner x")
    assert late
    assert late.unknown() == ["owner"]
