"""Collect the evidence of a failure from the cluster, and keep it there until somebody asks for it.

It is kept in a ConfigMap beside the revision, so that a laptop can read what a CI run saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import anyio

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.kept import Keeper, compressed, encoded
from planera_ci.cluster.watch import Live
from planera_ci.domain.evidence import shortened, to_read
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import HistoryError
from planera_ci.tasks import each

_EVIDENCE = "evidence"
_LINES, _LONGEST = 1000, 20.0
"""Of each log, and seconds for all of them."""

_MOST_BYTES = 700_000
"""A ConfigMap holds 1 MiB (Kubernetes API), and base64 makes three bytes four."""
KEPT = 5
_AROUND = frozenset({"ReplicaSet", "Pod", "PersistentVolumeClaim"})


async def logs(cluster: Cluster, namespace: str, pods: Iterable[Obj], first: str) -> dict[str, str]:
    """Return the logs of every container that is not well, those of its run before too, as far as they can be had."""
    wanted = to_read(pods, first)
    names = [(pod, container, False) for pod, container, _ in wanted]
    names += [(pod, container, True) for pod, container, again in wanted if again]

    found: dict[tuple[str, str, bool], str] = {}

    async def one(name: tuple[str, str, bool]) -> None:
        pod, container, previous = name
        found[name] = await cluster.log(namespace, pod, container, previous=previous, lines=_LINES)

    # Logs of a node that does not answer must not keep the good release from coming back.
    with anyio.move_on_after(_LONGEST):
        await each(names, one)
    return {f"{pod}.{c}{'.previous' if previous else ''}": text for (pod, c, previous), text in found.items() if text}


def seen(live: Live, keys: Iterable[Key]) -> tuple[Obj, ...]:
    """Return the workloads, and every replica set, pod and claim around them, as they were last seen."""
    wanted = set(keys)
    return tuple(obj for key, obj in sorted(live.objects.items()) if key in wanted or key.kind in _AROUND)


class Shelf(Keeper):
    """The evidence that is kept of one application in one namespace."""

    async def put(self, revision: int, files: Mapping[str, str]) -> None:
        """Keep the evidence of a revision, and forget that of much earlier ones."""
        obj = self.object(self._key(revision), _EVIDENCE)
        await self.cluster.apply({**obj, "binaryData": {"files": _packed(files)}})
        kept = await self._revisions()
        await each(kept[:-KEPT], lambda number: self.cluster.delete(self._key(number)))

    async def get(self, revision: int, act: str) -> dict[str, str]:
        """Return the evidence of a revision, or the newest there is."""
        kept = await self._revisions()
        if not kept or (revision and revision not in kept):
            what = f"there is none of revision {revision}" if revision else "there is none: no deployment failed"
            known = ", ".join(map(str, kept))
            raise HistoryError(act, what, f"choose one of {known}" if known else "")
        key = self._key(revision or kept[-1])
        try:
            files: dict[str, str] = await self.content(key, "files")
        except ValueError as error:
            raise HistoryError(act, f"{key} is damaged", "choose another") from error
        return files

    async def _revisions(self) -> list[int]:
        numbers = (Key.of(obj).name.rpartition("-")[2] for obj in await self.listed(_EVIDENCE))
        return sorted(int(number) for number in numbers if number.isdigit())

    def _key(self, revision: int) -> Key:
        return self.numbered(_EVIDENCE, revision)


def _packed(files: Mapping[str, str]) -> str:
    """Compress files; where they are too much for one object, shorten the logs until they fit."""
    share = 1.0
    while True:
        chosen = files if share == 1.0 else shortened(files, share)
        data = compressed(chosen)
        if len(data) <= _MOST_BYTES or share < _LEAST_SHARE:
            return encoded(data)
        share /= 2


_LEAST_SHARE = 0.01
