"""The runner does what GitHub's does, as far as a job here can tell, and refuses what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.workflows.commands import Annotation, pairs
from tests.workflows.expressions import UnknownExpressionError
from tests.workflows.github import POWERLESS, Event, Repository, dispatched, proposed, pushed
from tests.workflows.runner import MOST_SUMMARY, Ran, ran
from tests.workflows.shell import git
from tests.workflows.workflow import Workflow

_CHECKOUT = {"uses": "actions/checkout@x", "with": {"persist-credentials": False}}
_WHO = ("-c", "user.name=t", "-c", "user.email=t@example.com")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository of two commits, a tag and a branch."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name in ("first", "second"):
        (folder / "file").write_text(name)
        git(folder, "add", "-A")
        git(folder, *_WHO, "commit", "-q", "-m", name)
    git(folder, "tag", "v1.0.0")
    git(folder, "checkout", "-q", "-b", "change")
    (folder / "file").write_text("changed")
    git(folder, *_WHO, "commit", "-q", "-a", "-m", "change")
    git(folder, "checkout", "-q", "main")
    return Repository("Someone/thing", folder, "powerful", {"staging": {"KEY": "planted", "OTHER": ""}})


@pytest.fixture
def run(repository: Repository, tmp_path: Path) -> Callable[..., Ran]:
    """Run steps as a job of a workflow that is started by a push, or by another event."""

    def one(*steps: dict[str, object], event: Event | None = None, **job: object) -> Ran:
        spec = {"timeout-minutes": 1, "permissions": {"contents": "read"}, "environment": "staging", **job}
        document = {
            "name": "tried",
            "on": {"push": None, "pull_request": None, "workflow_dispatch": {"inputs": {"word": {"type": "string"}}}},
            "env": {"FROM": "workflow"},
            "defaults": {"run": {"shell": "bash"}},
            "jobs": {"job": {**spec, "steps": list(steps)}},
        }
        file = tmp_path / "tried.yml"
        file.write_text(yaml.safe_dump(document))
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        return ran(Workflow.read(file), "job", repository, event or pushed(repository), folder)

    return one


def test_step_sees_what_github_gives_and_nothing_of_the_developer(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    """GITHUB_, RUNNER_ and CI are there; KUBECONFIG and whatever else the machine has is not."""
    monkeypatch.setenv("KUBECONFIG", "/of/the/developer")
    monkeypatch.setenv("PLANERA_CI_OWNER", "me")
    seen = run({"run": "env"})
    found = dict(line.split("=", 1) for line in seen.log.splitlines())
    expected = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "FROM": "workflow"}
    expected |= {"GITHUB_REPOSITORY": "Someone/thing", "GITHUB_SHA": repository.head, "GITHUB_REF_NAME": "main"}
    assert expected.items() <= found.items()
    assert {"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_WORKSPACE", "RUNNER_TEMP"} <= found.keys()
    assert not {"KUBECONFIG", "PLANERA_CI_OWNER"} & found.keys()


def test_first_failure_ends_a_step_and_the_job(run: Callable[..., Ran]) -> None:
    """Also inside a pipe; a step with failure() still runs, one without does not."""
    seen = run({"run": "false | cat\necho not reached"}, {"run": "echo next"}, {"run": "echo after", "if": "failure()"})
    assert (seen.state, seen.code, seen.log) == ("failure", 1, "after\n")


def test_outputs_and_summary_count_even_if_the_step_fails(run: Callable[..., Ran]) -> None:
    """What was written before is taken up, and later steps can read it."""
    write = 'echo "url=https://a=b" >> "$GITHUB_OUTPUT"; echo "# Told" >> "$GITHUB_STEP_SUMMARY"; exit 3'
    read = {"run": 'echo "at $URL"', "if": "always()", "env": {"URL": "${{ steps.one.outputs.url }}"}}
    place = {"name": "staging", "url": "${{ steps.one.outputs.url }}"}
    seen = run({"id": "one", "run": write}, read, environment=place)
    assert (seen.code, seen.summary, seen.url) == (3, "# Told\n", "https://a=b")
    assert "at https://a=b" in seen.log


@pytest.mark.parametrize(("rights", "token"), [("read", POWERLESS), ("write", "powerful")])
def test_token_can_write_packages_only_if_the_job_asks(run: Callable[..., Ran], rights: str, token: str) -> None:
    """The token of a job that forgets it is refused by the registry, as on GitHub."""
    step = {"run": 'echo "$T"', "env": {"T": "${{ github.token }}"}}
    assert run(step, permissions={"contents": "read", "packages": rights}).log == f"{token}\n"


def test_secrets_are_those_of_the_environment(run: Callable[..., Ran]) -> None:
    """One that is not set is empty."""
    seen = run({"run": 'echo "$A-$B"', "env": {"A": "${{ secrets.KEY }}", "B": "${{ secrets.OTHER }}"}})
    assert seen.log == "planted-\n"


@pytest.mark.parametrize("event", ["pull request", "another environment"])
def test_secret_that_a_job_cannot_have_is_an_error(run: Callable[..., Ran], repository: Repository, event: str) -> None:
    """A pull request has none at all."""
    step = {"run": "true", "env": {"A": "${{ secrets.KEY }}"}}
    with pytest.raises(UnknownExpressionError):
        if event == "pull request":
            run(step, event=proposed(repository, "change"))
        else:
            run(step, environment="production")


def test_checkout_has_the_one_commit_and_no_tag(run: Callable[..., Ran]) -> None:
    """It is as shallow as GitHub's, on a branch of the name that was pushed."""
    seen = run(_CHECKOUT, {"run": "git log --format=%s; git tag; git branch --show-current; git remote get-url origin"})
    assert seen.log.splitlines() == ["second", "main", "https://github.example/Someone/thing"]


def test_checkout_of_everything_has_history_and_tags(run: Callable[..., Ran]) -> None:
    """Where a workflow asks for it."""
    checkout = {**_CHECKOUT, "with": {"persist-credentials": False, "fetch-depth": 0}}
    assert run(checkout, {"run": "git log --format=%s; git tag"}).log.splitlines() == ["second", "first", "v1.0.0"]


def test_pull_request_is_checked_out_merged_or_as_its_author_has_it(
    run: Callable[..., Ran], repository: Repository
) -> None:
    """`ref` gives the commit that is in the author's clone."""
    event = proposed(repository, "change")
    head = {**_CHECKOUT, "with": {"persist-credentials": False, "ref": "${{ github.event.pull_request.head.sha }}"}}
    seen = run(head, {"run": 'cat file; git rev-parse HEAD; echo "$GITHUB_SHA"'}, event=event)
    assert seen.log == f"changed{git(repository.folder, 'rev-parse', 'change')}\n{event.sha}\n"
    assert git(repository.folder, "rev-parse", f"{event.sha}^1") == repository.head


def test_artifact_is_a_copy_of_what_was_there(run: Callable[..., Ran]) -> None:
    """Of a folder its files; nothing where nothing was there, unless that is an error."""
    upload = {"uses": "actions/upload-artifact@x"}
    some = {"name": "some", "path": "${{ runner.temp }}/a", "if-no-files-found": "ignore", "retention-days": 1}
    steps = [{"run": 'mkdir "$RUNNER_TEMP/a"; echo x > "$RUNNER_TEMP/a/b"'}, {**upload, "with": some}]
    none = {**some, "name": "none", "path": "${{ runner.temp }}/nothing"}
    seen = run(*steps, {**upload, "with": none}, {**upload, "with": {**none, "if-no-files-found": "error"}})
    assert seen.artifact("some") == {"b": b"x\n"}
    assert not seen.artifact("none")
    assert seen.state == "failure"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "::error file=a.py,line=3,title=A%3A b::one%0Atwo: 50%25",
            [Annotation("error", "one\ntwo: 50%", {"file": "a.py", "line": "3", "title": "A: b"})],
        ),
        ("  ::warning ::x", [Annotation("warning", "x", {})]),
        ("text ::error::x", []),
        ("::add-mask::x", []),
    ],
)
def test_annotations_are_read_from_the_log(line: str, found: list[Annotation]) -> None:
    """As the runner reads them: where a line begins with one."""
    assert Ran(log=line).annotations == found


def test_outputs_of_several_lines_are_read_and_others_refused() -> None:
    """`NAME<<END` begins a value that ends with END alone on a line."""
    assert pairs("a=b=c\nd<<END\n1\n2\nEND\ne=") == {"a": "b=c", "d": "1\n2", "e": ""}
    with pytest.raises(AssertionError):
        pairs("no sign")


def test_summary_that_github_would_refuse_is_refused(run: Callable[..., Ran]) -> None:
    """It shows none of one that is too long."""
    with pytest.raises(AssertionError):
        run({"run": f'head -c {MOST_SUMMARY + 1} /dev/zero | tr "\\0" x >> "$GITHUB_STEP_SUMMARY"'})


@pytest.mark.parametrize(
    "step",
    [
        {"uses": "someone/other@x"},
        {"uses": "actions/checkout@x", "with": {"persist-credentials": False, "lfs": True}},
        {"run": "true", "continue-on-error": True},
        {"run": "true", "shell": "python"},
    ],
    ids=["action", "input", "key", "shell"],
)
def test_what_the_runner_does_not_know_is_refused(run: Callable[..., Ran], step: dict[str, object]) -> None:
    """Nothing of a workflow is left out silently."""
    with pytest.raises(AssertionError):
        run(step)


def test_input_that_nobody_declared_is_refused(run: Callable[..., Ran], repository: Repository) -> None:
    """A person is asked for what the workflow declares only."""
    step = {"run": 'echo "$W"', "env": {"W": "${{ inputs.word }}"}}
    assert run(step, event=dispatched(repository, word="$(id)")).log == "$(id)\n"
    with pytest.raises(AssertionError):
        run(step, event=dispatched(repository, other="x"))
