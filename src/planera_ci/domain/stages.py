"""What is special about an environment: where its releases come from, and what a person must type for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planera_ci.domain.images import short
from planera_ci.errors import ConfigError


@dataclass(frozen=True)
class Stage:
    """An environment's place on the way of a release."""

    name: str
    promotes: str = ""
    """The environment whose verified releases come here, digest by digest; nothing is built for this one."""
    phrase: str = ""
    """What a person has to type to say that this environment is meant; nothing where that need not be said."""

    @property
    def guarded(self) -> bool:
        """Tell whether a person has to say in words that this environment is meant."""
        return bool(self.phrase)

    def tags(self, version: str) -> tuple[str, str]:
        """Return the tag that names this version and the one that moves with the environment."""
        if self.promotes:  # the names without a prefix are those that people look for
            return short(version), "latest"
        return f"{self.name}-{short(version)}", f"{self.name}-latest"

    def release_tag(self, version: str) -> str:
        """Return the tag under which it is noted what else ran here with this version: the other images."""
        return f"{self.tags(version)[0]}-release"

    def verified_tag(self, version: str) -> str:
        """Return the tag that says of an image: this version was deployed here, and verified."""
        return f"{self.tags(version)[0]}-verified"


STAGES: Mapping[str, Stage] = {
    "staging": Stage("staging"),
    "production": Stage("production", promotes="staging", phrase="deploy-to-production"),
}
"""The environments of an application that names none."""


def check_deploy(act: str, stage: Stage, given: str, command: str) -> None:
    """Refuse a guarded environment where its exact phrase was not typed; the message shows what to type."""
    if stage.guarded:
        demand(act, given, stage.phrase, command)


def check_rotate(act: str, stage: Stage, given: str, command: str) -> None:
    """Refuse a guarded environment where it was not typed that its values are to be replaced."""
    if stage.guarded:
        demand(act, given, f"rotate-{stage.name}", command)


def demand(act: str, given: str, phrase: str, command: str) -> None:
    """Refuse where the exact phrase was not typed; the message shows the command to type."""
    if given == phrase:
        return
    seen = f'--confirm "{given}" is not the phrase' if given else "it has to be confirmed"
    raise ConfigError(act, f"{seen}, nothing was touched", f"type: dagger call {command} --confirm {phrase}")


def check_built_for(stage: Stage) -> None:
    """Refuse to publish for an environment that gets what another has verified."""
    if stage.promotes:
        confirm = f" --confirm {stage.phrase}" if stage.guarded else ""
        raise ConfigError(
            f"publish for {stage.name}",
            f"it gets what {stage.promotes} has verified, nothing is built for it",
            f"deploy to {stage.promotes}, then promote: dagger call deploy --env {stage.name}{confirm}",
        )
