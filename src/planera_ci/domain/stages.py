"""What is special about an environment: where its releases come from, and what a person must type for it."""

from __future__ import annotations

from dataclasses import dataclass

from planera_ci.domain.images import tags
from planera_ci.errors import ConfigError


@dataclass(frozen=True)
class Stage:
    """An environment's place on the way of a release."""

    name: str
    promotes: str = ""
    """The environment whose verified releases come here, digest by digest; nothing is built for this one."""
    guarded: bool = False
    """Whether a person has to say in words that this environment is meant."""


DEPLOY_PHRASE = "deploy-to-production"
ROTATE_PHRASE = "rotate-production"

STAGES = {
    "staging": Stage("staging"),
    "production": Stage("production", promotes="staging", guarded=True),
}


def stage_of(environment: str) -> Stage:
    """Return an environment's place; one that is not named here is built for, as staging is."""
    return STAGES.get(environment, Stage(environment))


def check_phrase(act: str, environment: str, given: str, phrase: str, command: str) -> None:
    """Refuse a guarded environment where the exact phrase was not typed; the message shows what to type."""
    if stage_of(environment).guarded:
        demand(act, given, phrase, command)


def demand(act: str, given: str, phrase: str, command: str) -> None:
    """Refuse where the exact phrase was not typed; the message shows the command to type."""
    if given == phrase:
        return
    seen = f'--confirm "{given}" is not the phrase' if given else "it has to be confirmed"
    raise ConfigError(act, f"{seen}, nothing was touched", f"type: dagger call {command} --confirm {phrase}")


def check_built_for(environment: str) -> None:
    """Refuse to publish for an environment that gets what another has verified."""
    origin = stage_of(environment).promotes
    if origin:
        raise ConfigError(
            f"publish for {environment}",
            f"it gets what {origin} has verified, nothing is built for it",
            f"deploy to {origin}, then promote: dagger call deploy --env {environment} --confirm {DEPLOY_PHRASE}",
        )


def release_tag(environment: str, version: str) -> str:
    """Return the tag under which it is noted what else ran in the environment with this version: the other images."""
    return f"{tags(environment, version)[0]}-release"


def verified_tag(environment: str, version: str) -> str:
    """Return the tag that says of an image: this version was deployed to the environment, and verified there."""
    return f"{tags(environment, version)[0]}-verified"
