"""What applying a release would change: live objects against the server's own dry run.

The server fills in defaults and merges fields of other managers, so its answer, not our manifest,
is what the live object is compared with; that is why an unchanged object shows no change.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from planera_ci.domain.adoption import COPY
from planera_ci.domain.manifests import Key, Obj, containers, pod_spec
from planera_ci.domain.mask import MASK

_SERVER_FIELDS = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_NEVER_REMOVED = frozenset({"Namespace", "PersistentVolumeClaim", "PersistentVolume", "Secret"})
# kubectl keeps a copy of all values in an annotation, which is as long as the object, and may hold a password.
_COPIED = "kubectl's copy"
_SECRET_FIELDS = ("data", "stringData", "metadata.annotations")
_LONGEST = 120
_JOB_LABELS = frozenset({"job-name", "controller-uid"})


class Action(Enum):
    """What applying does to one object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True)
class Change:
    """One object's action and, line by line, what differs."""

    key: Key
    action: Action
    lines: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    """Whose fields become ours with it: clients' that applied the object before."""


@dataclass(frozen=True)
class Plan:
    """All changes of one release in one environment."""

    changes: tuple[Change, ...]

    def only(self, *actions: Action) -> tuple[Change, ...]:
        """Select the changes with one of these actions."""
        return tuple(change for change in self.changes if change.action in actions)

    def changes_besides(self, key: Key | None) -> bool:
        """Tell whether anything changes, one object left aside."""
        return any(change.action is not Action.KEEP and change.key != key for change in self.changes)

    def counts(self) -> str:
        """Say in one line how many objects change."""
        new, kept, gone = (
            len(self.only(*actions))
            for actions in (
                (Action.CREATE, Action.UPDATE, Action.REPLACE),
                (Action.KEEP,),
                (Action.REMOVE,),
            )
        )
        adopted = sum(1 for change in self.changes if change.adopted)
        taken = f", {adopted} adopted" if adopted else ""
        return f"{new} changed, {kept} unchanged, {gone} removed{taken}"

    def text(self) -> str:
        """Show every change with its lines, secrets masked."""
        signs = {Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "±", Action.REMOVE: "-"}
        out = []
        for change in self.changes:
            if change.action is not Action.KEEP:
                whose = f", adopted from {', '.join(change.adopted)}" if change.adopted else ""
                out.append(f"{signs[change.action]} {change.key} ({change.action.value}{whose})")
                out.extend(f"    {line}" for line in change.lines)
        return "\n".join([*out, self.counts()])


def change_of(
    key: Key, live: Obj | None, wanted: Obj, *, replace: bool = False, adopted: tuple[str, ...] = ()
) -> Change:
    """Compare a live object with what the server says it would become."""
    if live is None:
        return Change(key, Action.CREATE)
    shown = _without_values(live, wanted, known=not adopted)
    lines = tuple(diff(_comparable(shown), _comparable(wanted), secret=key.kind == "Secret"))
    if replace:
        return Change(key, Action.REPLACE, lines)
    return Change(key, Action.UPDATE, lines, adopted) if lines else Change(key, Action.KEEP)


def _without_values(live: Obj, wanted: Obj, *, known: bool) -> Obj:
    """Hide what variables had by other means: a manifest of ours holds no password, another one may.

    Of an object that is ours a value stays readable where the manifest has a plain one in its place.
    """
    if "kind" not in live or pod_spec(live) is None:
        return live
    hidden = copy.deepcopy(live)
    kept = [(c["name"], entry) for c in containers(wanted) for entry in c.get("env") or ()]
    plain = {(name, entry["name"]) for name, entry in kept if known and "value" in entry}
    for container in containers(hidden):
        for entry in container.get("env") or ():
            place = container["name"], entry["name"]
            if "value" in entry and place not in plain and (container["name"], entry) not in kept:
                entry["value"] = MASK
    return hidden


def removals(before: Iterable[Key], now: Iterable[Key]) -> tuple[Change, ...]:
    """Return what an earlier release applied and this one no longer has; data is never removed."""
    now = tuple(now)
    gone = set(before) - set(now)
    same = {(key.kind, key.namespace, key.name) for key in now}  # an API version may have moved on
    return tuple(
        Change(key, Action.REMOVE)
        for key in sorted(gone)
        if key.kind not in _NEVER_REMOVED and (key.kind, key.namespace, key.name) not in same
    )


def _comparable(obj: Obj) -> Obj:
    meta = {k: v for k, v in obj.get("metadata", {}).items() if k not in _SERVER_FIELDS}
    if COPY in (meta.get("annotations") or {}):
        meta["annotations"] = {**meta["annotations"], COPY: _COPIED}
    rest = {k: v for k, v in obj.items() if k not in ("metadata", "status")}
    if obj.get("kind") == "Job":
        rest["spec"] = _without_its_own_names(obj.get("spec") or {})
    return {**rest, "metadata": meta}


def _without_its_own_names(spec: Obj) -> Obj:
    """Return a Job's specification without the selector and the labels that name this one run of it."""
    template = spec.get("template") or {}
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k.rpartition("/")[2] not in _JOB_LABELS}
    kept = {k: v for k, v in spec.items() if k != "selector"}
    return {**kept, "template": {**template, "metadata": {**meta, "labels": labels}}}


def diff(old: Any, new: Any, path: str = "", *, secret: bool = False) -> Iterator[str]:
    """Yield one line for each place where two values differ; values in a Secret are masked."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            inner = f"{path}.{name}" if path else str(name)
            yield from diff(old.get(name), new.get(name), inner, secret=secret)
    elif isinstance(old, list) and isinstance(new, list) and _named(old) and _named(new):
        before, after = ({item["name"]: item for item in items} for items in (old, new))
        for name in sorted(before.keys() | after.keys()):
            yield from diff(before.get(name), after.get(name), f"{path}[{name}]", secret=secret)
        kept = [[name for name in side if name in before and name in after] for side in (before, after)]
        if kept[0] != kept[1]:
            yield f"{path}: order {', '.join(kept[0])} → {', '.join(kept[1])}"
    else:
        hidden = secret and path.startswith(_SECRET_FIELDS)
        yield f"{path}: {_shown(old, hidden=hidden)} → {_shown(new, hidden=hidden)}"


def _named(items: list[Any]) -> bool:
    """Tell whether items can be matched by their names, each of which stands there once."""
    if not items or not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        return False
    return len({item["name"] for item in items}) == len(items)


def _shown(value: Any, *, hidden: bool) -> str:
    if value is None:
        return "(absent)"
    if hidden:
        return MASK
    text = (json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)).replace(
        "\n", "\\n"
    )
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
