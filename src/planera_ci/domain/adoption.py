"""Take over what `kubectl apply` has made: whose fields become ours, and what an object is without the rest of them.

The API server removes a field only for the manager that owns it. What was applied by clients is owned by them, so that
whatever a new manifest leaves out would stay for ever, a password in a variable too, beside a copy of all in an
annotation. Made ours first, as `kubectl apply --server-side` does with its own, such fields go like all that we drop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from planera_ci.domain.manifests import Obj

COPY = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which client-side apply keeps all that it applied, a Secret's values too."""
# The second is who `kubectl rollout undo` writes as, and did everything before Kubernetes 1.18.
_KUBECTL = frozenset({"kubectl-client-side-apply", "kubectl"})
# Of an object that is older than ownership: it owns what the server filled in as well.
_BEFORE_ALL = "before-first-apply"
_DEFAULTS = {"protocol": "TCP"}
"""The one key of lists that a manifest may leave out."""
_READ_ONLY = frozenset({"apiVersion", "kind", "status"})
_NOT_OURS = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})

Fields = Mapping[str, Any]
"""A set of fields as the API server writes it: `f:` a field, `k:` an item by its keys, `v:` a value, `.` itself."""


@dataclass(frozen=True)
class Adoption:
    """A live object, and the fields of its that clients applied."""

    live: Obj
    manager: str
    """Who is to own them: our own field manager."""
    taken: tuple[Obj, ...]
    ours: Obj | None
    """What we own already, by server-side apply."""

    @property
    def managers(self) -> tuple[str, ...]:
        """Return whose fields become ours."""
        return tuple(dict.fromkeys(str(entry["manager"]) for entry in self.taken))

    def patch(self) -> list[Obj]:
        """Return a JSON patch that changes who owns the fields, if the object is still the same."""
        owner = {**(self.ours or self.taken[-1]), "manager": self.manager, "operation": "Apply"}
        entries = [*self._others(), owner | {"fieldsV1": _union(self._owned())}]
        return [
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": self.live["metadata"]["resourceVersion"]},
        ]

    def foreseen(self, wanted: Obj) -> list[Obj]:
        """Return a JSON patch that makes of the object what applying will, once its fields are ours."""
        owned, others = _union(self._owned()), _union(map(_fields, self._others()))
        left = _without(self.live, owned, wanted, others)
        return list(_steps(self.live, _with(left, wanted, _union((owned, others)))))

    def _owned(self) -> list[Fields]:
        return [_fields(entry) for entry in (*self.taken, *((self.ours,) if self.ours else ()))]

    def _others(self) -> list[Obj]:
        known = (*self.taken, self.ours)
        return [entry for entry in _entries(self.live) if entry not in known]


def adoption(live: Obj, manager: str) -> Adoption | None:
    """Return what is to be taken over of a live object: fields of who owns the copy, or is kubectl; or nothing."""
    ours = next((e for e in _entries(live) if (e.get("manager"), e.get("operation")) == (manager, "Apply")), None)
    found = [entry for entry in _entries(live) if _by_client(entry)]
    version = (ours or found[-1])["apiVersion"] if found else ""
    # Fields of another version have other names, and only the server can translate them.
    taken = tuple(entry for entry in found if entry["apiVersion"] == version)
    return Adoption(live, manager, taken, ours) if taken else None


def set_by_hand(live: Obj) -> tuple[str, ...]:
    """Return which of kubectl's other commands own fields of an object: these stay, and may be in a manifest's way."""
    found = (str(entry.get("manager", "")) for entry in _entries(live) if entry.get("operation") == "Update")
    return tuple(dict.fromkeys(name for name in found if name.startswith("kubectl-") and name not in _KUBECTL))


def _by_client(entry: Obj) -> bool:
    if entry.get("operation") != "Update" or entry.get("subresource") or entry.get("manager") == _BEFORE_ALL:
        return False
    notes = (_fields(entry).get("f:metadata") or {}).get("f:annotations") or {}
    return entry.get("manager") in _KUBECTL or f"f:{COPY}" in notes


def _entries(live: Obj) -> list[Obj]:
    return live["metadata"].get("managedFields") or []


def _fields(entry: Obj) -> Fields:
    return entry.get("fieldsV1") or {}


def _union(sets: Iterable[Fields]) -> dict[str, Any]:
    return reduce(_both, sets, {})


def _both(one: Fields, other: Fields) -> dict[str, Any]:
    return {name: _both(one.get(name, {}), other.get(name, {})) for name in (*one, *(n for n in other if n not in one))}


def _without(value: Any, owned: Fields, wanted: Any, others: Fields) -> Any:
    """Return what is left of a value where owned fields go that are neither wanted nor somebody else's."""
    if isinstance(value, dict):
        fields = wanted if isinstance(wanted, dict) else {}
        rest = {name: _left(item, f"f:{name}", owned, fields.get(name), others) for name, item in value.items()}
        return {name: item for name, item in rest.items() if item is not None}
    if isinstance(value, list):
        items = wanted if isinstance(wanted, list) else []
        named = ((item, _path(item, owned)) for item in value)
        left = (_left(item, path, owned, _item(items, path), others) for item, path in named)
        return [item for item in left if item is not None]
    return value


def _left(item: Any, path: str, owned: Fields, wanted: Any, others: Fields) -> Any:
    if path not in owned:
        return item
    if wanted is None and _whole(path, owned) and not _whole(path, others):
        return None
    return _without(item, owned[path], wanted, others.get(path, {}))


def _whole(path: str, fields: Fields) -> bool:
    """Tell whether something is there by these fields: a field by any inside it, an item of a list by itself alone."""
    inside = fields.get(path)
    return inside is not None and (not path.startswith("k:") or not inside or "." in inside)


def _with(value: Any, wanted: Any, fields: Fields) -> Any:
    """Return a value with what is wanted laid over it; lists that are sets, or whose items have keys, by the item."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        over = {name: _over(value.get(name), item, fields.get(f"f:{name}")) for name, item in wanted.items()}
        return {**value, **over}
    if isinstance(value, list) and isinstance(wanted, list):
        paths = [path for path in fields if path[:2] in ("k:", "v:")]
        if paths:
            alike = _keys(paths[0])
            merged = [_with(_same(value, item, alike), item, fields.get(_path(item, fields), {})) for item in wanted]
            return [*merged, *(item for item in value if _same(wanted, item, alike) is None)]
    return wanted


def _over(value: Any, wanted: Any, fields: Fields | None) -> Any:
    """Lay over what is wanted; a field that is owned as a whole, such as a selector, is replaced as a whole."""
    return wanted if fields is not None and not fields else _with(value, wanted, fields or {})


def _path(item: Any, fields: Fields) -> str:
    """Return which path among fields means an item of a list, or nothing."""
    return next((path for path in fields if _means(path, item)), "")


def _item(items: list[Any], path: str) -> Any:
    return next((item for item in items if path and _means(path, item)), None)


def _means(path: str, item: Any) -> bool:
    kind, _, text = path.partition(":")
    if kind == "k" and isinstance(item, dict):
        return all(_key(item, name) == value for name, value in json.loads(text).items())
    return kind == "v" and bool(item == json.loads(text))


def _keys(path: str) -> tuple[str, ...]:
    return tuple(json.loads(path[2:])) if path.startswith("k:") else ()


def _same(items: list[Any], wanted: Any, keys: tuple[str, ...]) -> Any:
    """Return the item with the same keys, or for a set the same value."""
    if not keys:
        return wanted if wanted in items else None
    alike = (item for item in items if all(_key(item, name) == _key(wanted, name) for name in keys))
    return next(alike, None)


def _key(item: Mapping[str, Any], name: str) -> Any:
    return item.get(name, _DEFAULTS.get(name))


def _steps(live: Obj, after: Obj) -> Iterable[Obj]:
    """Yield the steps of a JSON patch from one object to another, for what applying may change."""
    sides = [
        {f"/{name}": value for name, value in obj.items() if name not in {*_READ_ONLY, "metadata"}}
        | {f"/metadata/{name}": value for name, value in obj["metadata"].items() if name not in _NOT_OURS}
        for obj in (live, after)
    ]
    before, then = sides
    yield from ({"op": "remove", "path": path} for path in before if path not in then)
    changed = (path for path in then if path not in before or before[path] != then[path])
    yield from ({"op": "add", "path": path, "value": then[path]} for path in changed)
