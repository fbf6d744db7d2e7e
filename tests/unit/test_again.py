"""The command that shows a failure of a CI once more."""

from __future__ import annotations

import pytest

from planera_ci.domain.again import commands, flags, step_of
from planera_ci.errors import ApplicationTestError, BuildError, ConfigError, DeploymentError, PlaneraError, SmokeError

SHA = "a1b2c3d" + "0" * 33
DEPLOY = ("deploy", "--env", "staging")


@pytest.mark.parametrize(
    ("error", "typed"),
    [
        (BuildError("build backend", "exit code 1"), (f"dagger call --at {SHA} build --env staging",)),
        (ApplicationTestError("test backend", "exit code 1"), (f"dagger call --at {SHA} test --env staging",)),
        (
            SmokeError("smoke test backend", "it ended at its start"),
            (
                f"dagger call --at {SHA} smoke --env staging",
                f"dagger call --at {SHA} inside --env staging --component backend terminal",
            ),
        ),
        (SmokeError("smoke test of nothing", "x"), (f"dagger call --at {SHA} smoke --env staging",)),
        (DeploymentError("deploy planera", "crash"), (f"dagger call --at {SHA} deploy --env staging",)),
        (ConfigError("read planera.toml", "x"), (f"dagger call --at {SHA} deploy --env staging",)),
    ],
)
def test_step_that_failed_is_done_alone(error: PlaneraError, typed: tuple[str, ...]) -> None:
    """What needs no cluster is done without one; a container that can be run here can be looked into."""
    assert commands("dagger call", error, DEPLOY, "staging", SHA, ("backend", "migrate")) == typed


def test_state_that_git_does_not_know_is_that_of_the_folder() -> None:
    """Without a commit nothing is promised about which state is taken."""
    error = BuildError("build backend", "exit code 1")
    assert commands("dagger call", error, DEPLOY, "staging", "", ()) == ("dagger call build --env staging",)


def test_words_of_the_verb_are_quoted_for_a_shell() -> None:
    """A phrase that somebody typed cannot become a command."""
    words = ("deploy", "--env", "production", "--confirm", "$(reboot)")
    assert commands("dagger call", ConfigError("a", "b"), words, "production", "", ()) == (
        "dagger call deploy --env production --confirm '$(reboot)'",
    )


def test_arguments_of_the_module_are_repeated_if_they_were_given() -> None:
    """What planera.toml or the defaults say need not be typed."""
    assert flags({"name": "", "owner": "acme", "registry": "", "user": "a b"}) == " --owner acme --user 'a b'"


def test_step_has_the_name_of_its_verb() -> None:
    """A failure in the cluster has none: there the whole verb is what can be repeated."""
    assert [step_of(kind("a", "b")) for kind in (BuildError, SmokeError, DeploymentError)] == ["build", "smoke", ""]
