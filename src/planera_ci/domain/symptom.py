"""What keeps a workload from becoming ready, and how long each kind of trouble may last.

A reason that no waiting cures fails a rollout at once; one that may pass has a grace, counted from
its first sign. What was said first is kept: ErrImagePull says why, ImagePullBackOff hides it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

IMAGE, CONFIG, CRASH, PROBE, SCHEDULING = "image", "config", "crash", "probe", "scheduling"
QUOTA, ADMISSION, REGISTRY, SLOW = "quota", "admission", "registry", "slow"

GRACE_ANNOTATION = "planera-ci/grace"
"""On a workload: seconds that any trouble which may pass is given, instead of those below."""

REGISTRY_GRACE, SCHEDULING_GRACE, VOLUME_GRACE, REFUSAL_GRACE, LOGIN_GRACE = 120.0, 30.0, 90.0, 60.0, 30.0
STARTED_GRACE, STARTING_GRACE = 60.0, 120.0
"""For a container that has passed its startup probe but is not ready, and for one that has no such probe."""
NO_END = float("inf")
_NAMES = re.compile(r'"[^"]*"|\S*/\S*')
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Symptom:
    """One trouble of one pod or controller; the same one, seen again, has the same mark."""

    reason: str
    message: str
    pod: str = ""
    container: str = ""
    mark: str = ""
    since: float = 0.0
    """The cluster's own timestamp of its first sign, where there is one."""
    seen: float = 0.0
    """The cluster's own timestamp of the state that shows it now."""
    grace: float = 0.0
    vague: bool = False
    """Whether the message hides the cause, so that what was said first is to be believed instead."""


@dataclass(frozen=True)
class First:
    """The first sight of a symptom."""

    at: float
    symptom: Symptom


@dataclass(frozen=True)
class Failure:
    """Why a workload cannot become ready."""

    reason: str
    message: str
    pod: str = ""
    container: str = ""
    decided: float = 0.0
    """The cluster's timestamp of the deciding state: of the state itself, or of the end of its grace."""


Firsts = Mapping[str, First]


def plain(message: str) -> str:
    """Return a message in small letters and without the names in it: an image or a pod may be called anything."""
    return _NAMES.sub("", message.lower())


def grace_of(annotations: Mapping[str, str] | None) -> float | None:
    """Return the seconds that a workload asks for; what is no number asks for none."""
    text = (annotations or {}).get(GRACE_ANNOTATION, "")
    return float(text) if _NUMBER.fullmatch(text) else None


def remembered(firsts: Firsts, symptoms: Iterable[Symptom], now: float) -> dict[str, First]:
    """Keep the first sight of every symptom that is still there, and add the new ones."""
    kept: dict[str, First] = {}
    for symptom in symptoms:
        known = firsts.get(symptom.mark)
        if known is None or (known.symptom.vague and not symptom.vague):
            kept[symptom.mark] = First(known.at if known else now, symptom)
        else:
            kept[symptom.mark] = known
    return kept


def judged(symptoms: Iterable[Symptom], firsts: Firsts, now: float, grace: float | None = None) -> Failure | None:
    """Return the first symptom that has lasted longer than it may."""
    return next(
        (
            Failure(s.reason, s.message, s.pod, s.container, end if s.grace else s.seen or now)
            for s, end in _ends(symptoms, firsts, now, grace)
            if end <= now
        ),
        None,
    )


def due(symptoms: Iterable[Symptom], firsts: Firsts, now: float, grace: float | None = None) -> float:
    """Return when the next grace ends, or never."""
    return min((end for _, end in _ends(symptoms, firsts, now, grace)), default=NO_END)


def _ends(
    symptoms: Iterable[Symptom], firsts: Firsts, now: float, grace: float | None
) -> Iterable[tuple[Symptom, float]]:
    for seen in symptoms:
        first = firsts.get(seen.mark)
        symptom = replace(first.symptom, seen=seen.seen) if first and seen.vague else seen
        begun = seen.since or (first.at if first else now)
        patience = grace if grace is not None and symptom.grace not in (0.0, NO_END) else symptom.grace
        yield replace(symptom, grace=patience), begun + patience if patience else 0.0
