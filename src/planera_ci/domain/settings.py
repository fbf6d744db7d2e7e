"""Read planera.toml: every refusal names the key and what to write instead."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from planera_ci.domain.application import FILE, Application
from planera_ci.domain.stages import Stage
from planera_ci.errors import ConfigError

ACT = f"read {FILE}"

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
_Word = Annotated[str, StringConstraints(pattern=r"^\S+$")]
_Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][\w-]*(/[A-Za-z0-9_-][\w.-]*)*$")]
_REMEDIES = {
    "extra_forbidden": "take it out, or correct its spelling",
    "string_type": "write it in quotes",
    "dict_type": "write a table for each: [environments.NAME]",
    "too_short": "add a table: [environments.NAME]",
}
_FORMS = {
    "name": "use small letters, digits and single hyphens, at most 40",
    "manifests": "give a folder of the source, as k8s",
    "confirm": "give a phrase of one word, as deploy-to-live, or leave it out",
    "environments": "name it with small letters, digits and single hyphens, at most 40",
}


class _Place(BaseModel):
    """One environment as planera.toml describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    promotes: str = ""
    confirm: _Word | None = None


class _File(BaseModel):
    """What planera.toml may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name | None = None
    owner: _Word | None = None
    registry: _Word | None = None
    user: _Word | None = None
    manifests: _Folder | None = None
    environments: Annotated[dict[_Name, _Place], Field(min_length=1)] | None = None


def parse(text: str) -> Application:
    """Return the application that a planera.toml describes; what it leaves out is as Planera has it."""
    try:
        said = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(ACT, f"not TOML: {error}", "correct that line") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(ACT, *_told(first["loc"], first["type"], first["msg"])) from error
    places = said.environments
    words = said.model_dump(exclude={"environments"}, exclude_none=True)
    if places is None:
        return Application(**words)
    return Application(**words, stages={name: _stage(name, place, places) for name, place in places.items()})


def _told(where: tuple[int | str, ...], kind: str, message: str) -> tuple[str, str]:
    """Return what is wrong with a key, and what to do about it."""
    path = ".".join(str(part) for part in where if part != "[key]")
    seen = "this key is not known" if kind == "extra_forbidden" else message[:1].lower() + message[1:]
    named = _FORMS.get("confirm" if where[-1] == "confirm" else str(where[0]), "write one word in quotes")
    form = named if kind.startswith("string") else "see docs/configuration.md"
    return f"{path}: {seen}", _REMEDIES.get(kind, form)


def _stage(name: str, place: _Place, places: Mapping[str, _Place]) -> Stage:
    """Return an environment's place; refuse a way of releases that nothing can come along."""
    key = f"environments.{name}.promotes"
    if place.promotes:
        origin = places.get(place.promotes)
        if origin is None or place.promotes == name:
            raise ConfigError(
                ACT,
                f"{key}: {place.promotes} is no other environment of this file",
                f"name one of: {_others(places, name)}",
            )
        if origin.promotes:
            raise ConfigError(
                ACT,
                f"{key}: {place.promotes} is promoted to itself",
                f"name the environment that is built for: {origin.promotes}",
            )
    phrase = (f"deploy-to-{name}" if place.promotes else "") if place.confirm is None else place.confirm
    return Stage(name, place.promotes, phrase)


def _others(places: Mapping[str, _Place], name: str) -> str:
    return ", ".join(other for other in places if other != name) or "none yet, add a table for it"
