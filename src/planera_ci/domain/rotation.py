"""How a value of the application's Secret is replaced without a moment in which pods disagree.

Pods read a value once, when they start, so that during a rollout some have the old one and some the new.
Every pod therefore learns to accept the new value, as KEY-previous, before any uses it as KEY; the value
before is accepted as KEY-previous from then on, until it is dropped. What the values are for, nobody here knows.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256

from planera_ci.domain.manifests import Key, Obj, containers, of_kind, once_keys, secret_refs
from planera_ci.errors import ConfigError, ManifestError

PREVIOUS, RETIRED = "-previous", ".retired"
"""Behind a key: what is accepted beside its value; and, among the values kept, what was taken out of use."""

_LASTING = ("Deployment", "StatefulSet", "DaemonSet")
"""What runs while values change; a Job reads them when it starts, and is tried again."""


class Step(StrEnum):
    """One of the rollouts that a rotation is made of."""

    ACCEPT = "accept"
    """Every pod accepts the new value beside the one in force."""
    SWITCH = "switch"
    """The new value is in force, and the one before is still accepted."""
    DROP = "drop"
    """Nothing is accepted but the value in force."""


def steps(key: str, *, drop: bool) -> tuple[Step, ...]:
    """Return the rollouts, in order; for KEY-previous there is only dropping it."""
    if key.endswith(PREVIOUS):
        return (Step.DROP,)
    return (Step.ACCEPT, Step.SWITCH, Step.DROP) if drop else (Step.ACCEPT, Step.SWITCH)


def base_of(key: str) -> str:
    """Return the key whose values a key is about: its own, or for KEY-previous KEY."""
    return key.removesuffix(PREVIOUS)


def previous_of(key: str) -> str:
    """Return the key of what is accepted beside a key's value."""
    return f"{base_of(key)}{PREVIOUS}"


def after(step: Step, data: Mapping[str, str], key: str, value: str) -> dict[str, str]:
    """Return a Secret's data as a step leaves it."""
    base, previous = base_of(key), previous_of(key)
    match step:
        case Step.ACCEPT:
            return {**data, previous: value}
        case Step.SWITCH:
            return {**data, base: value, previous: data[base]}
        case Step.DROP:
            return {name: held for name, held in data.items() if name != previous}


def rotated_key(step: Step, key: str) -> str:
    """Return the key whose value is another one after a step, as the history names it."""
    return base_of(key) if step is Step.SWITCH else previous_of(key)


def retired(stored: Mapping[str, str], key: str, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return what is kept of values that a step takes out of use for good: enough to know them again, no more."""
    names = (base_of(key), previous_of(key))
    gone = {before[name] for name in names if name in before} - {after.get(name) for name in names}
    if not gone:
        return {}
    marks = dict.fromkeys((*_marks(stored, key), *sorted(map(_mark, gone))))
    return {f"{base_of(key)}{RETIRED}": base64.b64encode("\n".join(marks).encode()).decode()}


def is_retired(stored: Mapping[str, str], key: str, value: str) -> bool:
    """Tell whether a value was taken out of use by a rotation."""
    return _mark(value) in _marks(stored, key)


def _marks(stored: Mapping[str, str], key: str) -> list[str]:
    return base64.b64decode(stored.get(f"{base_of(key)}{RETIRED}", "")).decode().split()


def _mark(value: str) -> str:
    return sha256(value.encode()).hexdigest()


def settled_keys(rotated: str) -> tuple[str, ...]:
    """Return the keys of which no value from before a rotation is put back any more."""
    return (previous_of(rotated),) if rotated.endswith(PREVIOUS) else (rotated, previous_of(rotated))


def told(rotated: str, *, there: bool) -> str:
    """Say in few words what a revision did to a key."""
    base = base_of(rotated)
    if rotated == base:
        return f"{base} rotated"
    return f"{base}: a new value is accepted" if there else f"{base}: the value before is dropped"


def check_key(act: str, key: str, data: Mapping[str, str], *, drop: bool, given: bool) -> None:
    """Refuse what cannot be meant: a key that is not there, or one that is only accepted."""
    if key.endswith(PREVIOUS) and (not drop or given):
        raise ConfigError(
            act,
            f"{key} is what is accepted beside {base_of(key)}",
            f"rotate {base_of(key)}, or give --drop alone to have the value before refused",
        )
    if key not in data:
        if key.endswith(PREVIOUS):
            raise ConfigError(act, f"nothing is accepted beside {base_of(key)}", "there is nothing to drop")
        known = ", ".join(sorted(name for name in data if not name.endswith(PREVIOUS)))
        if not known:
            raise ConfigError(act, "the application has no Secret", "there is nothing to rotate")
        raise ConfigError(act, "the application's Secret has no such key", f"choose one of {known}")


def check_value(
    act: str, key: str, value: str, data: Mapping[str, str], versions: Mapping[str, int], stored: Mapping[str, str]
) -> None:
    """Refuse a new value that is not new; one that is accepted already because a rotation failed may come again."""
    base, previous = base_of(key), previous_of(key)
    if value == data.get(base):
        raise ConfigError(act, "--value is the value in force, nothing was changed", "give another one")
    prepared = versions.get(previous, 0) > versions.get(base, 0)
    if value == data.get(previous) and not prepared:
        raise ConfigError(act, "--value is the value before, nothing was changed", "give one that never was in force")
    if is_retired(stored, key, value):
        raise ConfigError(act, "--value was rotated away once, nothing was changed", "give one that never was in force")


def check_readers(act: str, objs: Iterable[Obj], secret: str, key: str) -> None:
    """Refuse a key whose readers do not all accept a second value; the sentence says what to add."""
    base, previous = base_of(key), previous_of(key)
    lacking: dict[str, None] = {}
    readers = 0
    for obj in of_kind(objs, *_LASTING):
        for container in containers(obj):
            refs = secret_refs(container, secret)
            if base in refs and base not in once_keys(obj):
                readers += 1
                if not refs.get(previous, False):
                    lacking[str(Key.of(obj))] = None
    add = f"a variable from {secret}, key {previous}, optional: true, and have it accepted as well"
    if lacking:
        raise ManifestError(
            act,
            f"{', '.join(lacking)} would not accept old and new value at once, nothing was changed",
            f"add {add}; deploy that, then rotate",
        )
    if not readers:
        raise ManifestError(
            act, "no workload of the last good release reads it, nothing was changed", "deploy one that does"
        )


def check_given(act: str, key: str, value: str, data: Mapping[str, str], stored: Mapping[str, str]) -> None:
    """Refuse a deployment that would put a value back into force which was rotated away."""
    if value == data.get(key):
        return
    seen = ""
    if value == data.get(previous_of(key)):
        seen = f'is that of "{previous_of(key)}": rotated away, or about to come'
    elif is_retired(stored, key, value):
        seen = "was rotated away"
    if seen:
        raise ConfigError(
            act,
            f'the value given for "{key}" {seen}',
            "leave it out: what is in force stays; `dagger call rotate` is what changes it",
        )
