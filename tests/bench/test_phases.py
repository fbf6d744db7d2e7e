"""What the shell pipeline notes of itself is read as it was meant; no lab is needed for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.bench.phases import Phases, parsed

SCRIPT = Path(__file__).parent / "shell/pipeline.sh"
# Programs that the script calls: each succeeds at once, or as a file in the way says.
_PROGRAMS = ("buildctl", "kubectl", "curl", "sleep")


@pytest.fixture
def ran(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Return a folder of programs that do nothing, and what the script wants to be told."""
    for name in _PROGRAMS:
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n')
        (tmp_path / name).chmod(0o755)
    names = ("SOURCE", "K8S", "SHA", "REGISTRY", "NAMESPACE", "SITE", "API")
    told = {name: name.lower() for name in names}
    return tmp_path, {**told, "PHASES": str(tmp_path / "phases"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def call(verb: str, env: dict[str, str]) -> tuple[int, str, Phases]:
    done = subprocess.run([SCRIPT, verb], env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr, parsed(Path(env["PHASES"]).read_text())


def test_phases_are_added_up_and_the_failed_one_is_named() -> None:
    """A phase that comes twice counts once, and the seconds asleep are known."""
    told = parsed(
        "part\ttest-backend\t1.500\nphase\tbuild\t2.000\nphase\tsleep\t10.004\nphase\tbuild\t0.5\nfailed\tcurl\n"
    )
    assert told == Phases({"build": 2.5, "sleep": 10.004}, {"test-backend": 1.5}, "curl")
    assert told.asleep == 10.004
    assert parsed("").asleep == 0


@pytest.mark.parametrize("text", ["other\tbuild\t1\n", "phase\tbuild\tsoon\n", "phase\n"])
def test_a_line_that_is_none_is_an_error(text: str) -> None:
    """What the script did not mean is not taken for a figure."""
    with pytest.raises((KeyError, ValueError)):
        parsed(text)


def test_a_deployment_notes_every_phase(ran: tuple[Path, dict[str, str]]) -> None:
    """Every step has its seconds, images are named by tag, and a Job that may stay is not deleted."""
    folder, env = ran
    code, err, phases = call("deploy", {**env, "PAUSE": "7"})
    assert code == 0, err
    assert list(phases.seconds) == ["build", "push", "render", "apply", "rollout", "sleep", "curl"]
    both = ("backend", "frontend")
    assert set(phases.parts) == {f"{what}-{name}" for what in ("test", "build", "push") for name in both}
    assert not phases.failed
    calls = (folder / "calls").read_text()
    assert "sleep 7\n" in calls
    assert '"name=registry/planera-backend:staging-sha,registry/planera-backend:staging-latest",push=true' in calls
    assert "delete job" not in calls


def test_a_rollback_notes_every_phase(ran: tuple[Path, dict[str, str]]) -> None:
    """The way back has its seconds too."""
    _, env = ran
    code, err, phases = call("rollback", env)
    assert code == 0, err
    assert list(phases.seconds) == ["undo", "rollout", "sleep", "curl"]


def test_a_failure_ends_it_and_is_told(ran: tuple[Path, dict[str, str]]) -> None:
    """A test that fails keeps the release from being pushed, and is quoted."""
    folder, env = ran
    (folder / "buildctl").write_text('#!/bin/sh\ncase "$*" in *target=test*) echo "1 failed"; exit 1 ;; esac\n')
    code, err, phases = call("deploy", env)
    assert code == 1
    assert phases.failed == "build"
    assert "1 failed" in err
    assert list(phases.seconds) == ["build"]
    assert set(phases.parts) == {"build-backend", "build-frontend"}
