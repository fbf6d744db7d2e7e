"""The evidence of a failed deployment as files: what was seen before anything was undone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planera_ci.domain import events as ev
from planera_ci.domain.adoption import COPY
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.mask import masked
from planera_ci.domain.moments import stamp
from planera_ci.domain.pods import statuses

_LOGS = "logs/"
_MOST_LOGS = 24
_CUT = "… (the beginning is left out: the evidence has to fit into one object of the cluster)\n"


@dataclass(frozen=True)
class Findings:
    """All that was seen of a failed deployment."""

    verdict: str
    report: Mapping[str, Any]
    plan: str
    timeline: tuple[tuple[float, str], ...]
    objects: tuple[Obj, ...] = ()
    events: tuple[Obj, ...] = ()
    logs: Mapping[str, str] = field(default_factory=dict)
    """Log by file name, POD.CONTAINER or POD.CONTAINER.previous."""


def files(found: Findings, secrets: Iterable[str]) -> dict[str, str]:
    """Return the evidence as files by path, secret values hidden."""
    raw = {
        **summary(found),
        "plan.diff": found.plan + "\n",
        "events.txt": "".join(
            f"{stamp(ev.happened(e))}  {ev.line(e)}\n" for e in sorted(found.events, key=ev.happened)
        ),
        **{f"objects/{_name(obj)}.json": json.dumps(_told(obj), indent=2, ensure_ascii=False) for obj in found.objects},
        **{f"{_LOGS}{name}.log": text for name, text in found.logs.items()},
    }
    secrets = tuple(secrets)
    return {path: masked(text, secrets) for path, text in raw.items()}


def summary(found: Findings) -> dict[str, str]:
    """Return the files that the rollback after a failure completes."""
    return {
        "verdict.txt": found.verdict + "\n",
        "report.json": json.dumps(found.report, indent=2, ensure_ascii=False) + "\n",
        "timeline.txt": "".join(f"{at:8.1f} s  {line}\n" for at, line in found.timeline),
    }


def _told(obj: Obj) -> Obj:
    """Leave kubectl's copy of all values out."""
    notes = obj["metadata"].get("annotations") or {}
    if COPY not in notes:
        return obj
    kept = {name: text for name, text in notes.items() if name != COPY}
    return {**obj, "metadata": {**obj["metadata"], "annotations": kept}}


def _name(obj: Obj) -> str:
    return f"{obj['kind'].lower()}-{Key.of(obj).name}"


def shortened(evidence: Mapping[str, str], share: float) -> dict[str, str]:
    """Return the evidence with only the last part of every log, and of the objects that fill most room none."""
    return {
        path: _CUT + text[len(text) - int(len(text) * share) :] if path.startswith(_LOGS) else text
        for path, text in evidence.items()
        if not (path.startswith("objects/pod-") and share < _SMALL_SHARE)
    }


_SMALL_SHARE = 0.1


def to_read(pods: Iterable[Obj], first: str = "") -> tuple[tuple[str, str, bool], ...]:
    """Return pod, container and whether it ran before, of every container not well; all of one pod come first."""
    found = [
        (pod["metadata"]["name"], status["name"], int(status.get("restartCount") or 0) > 0)
        for pod in pods
        for status in statuses(pod)
        if pod["metadata"]["name"] == first or not _well(status)
    ]
    return tuple(sorted(found, key=lambda each: each[0] != first))[:_MOST_LOGS]


def _well(status: Mapping[str, Any]) -> bool:
    """Tell whether a container is ready, or ended as it should, and never had to be started again."""
    over = (status.get("state") or {}).get("terminated") or {}
    fine = status.get("ready") or (over and over.get("exitCode") == 0)
    return bool(fine) and not status.get("restartCount")
