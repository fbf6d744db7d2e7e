"""Events of the namespace: which are about an object, what they say, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from planera_ci.domain.manifests import Obj
from planera_ci.domain.moments import epoch

Index = Mapping[tuple[str, str], tuple[Obj, ...]]
"""The events about each object, by its kind and name, the newest first."""


def indexed(events: Iterable[Obj]) -> Index:
    """Sort events by what they are about."""
    found: dict[tuple[str, str], list[Obj]] = {}
    for event in events:
        who = event.get("involvedObject") or {}
        found.setdefault((who.get("kind", ""), who.get("name", "")), []).append(event)
    return {key: tuple(sorted(mine, key=happened, reverse=True)) for key, mine in found.items()}


def about(obj: Obj, index: Index) -> tuple[Obj, ...]:
    """Select the events about this very object, not about an earlier one of its name."""
    meta = obj["metadata"]
    uid = meta.get("uid")
    mine = index.get((obj.get("kind", ""), meta["name"]), ())
    return tuple(event for event in mine if event["involvedObject"].get("uid", uid) == uid)


def happened(event: Obj) -> float:
    """Return when an event was last seen; old and new sources fill in different fields."""
    series = (event.get("series") or {}).get("lastObservedTime")
    return max(epoch(series), epoch(event.get("lastTimestamp")), epoch(event.get("eventTime")))


def said(events: Iterable[Obj], reason: str) -> Iterator[str]:
    """Yield the messages of a reason, in the events' order."""
    return (text_of(event) for event in events if event.get("reason") == reason)


def text_of(event: Obj) -> str:
    """Return what an event says, in one line."""
    return " ".join(str(event.get("message", "")).split())


def line(event: Obj) -> str:
    """Say an event in one line."""
    who = event.get("involvedObject") or {}
    count = int(event.get("count") or 1)
    times = f" ({count} times)" if count > 1 else ""
    return (
        f"{str(who.get('kind', '')).lower()}/{who.get('name', '')} {event.get('reason', '')}: {text_of(event)}{times}"
    )
