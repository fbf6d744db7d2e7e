"""Where the history is kept: a ConfigMap for each revision, and earlier values of the application's Secret.

A ConfigMap holds the record and, compressed, every object of the release as it was applied, images
pinned; no Secret is among them. Very many objects take further ConfigMaps. Values of secrets are kept
in a Secret, by key and revision.
"""

from __future__ import annotations

from collections.abc import Mapping

from planera_ci.cluster.kept import Keeper, compressed, counted, divided, encoded, parts_of
from planera_ci.domain.history import History, Record, read, values_named
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import ClusterError, HistoryError
from planera_ci.tasks import each

_REVISION, _PART, _OBJECTS = "revision", "revision-part", "objects"


class Archive(Keeper):
    """The history of one application in one namespace."""

    async def load(self) -> History:
        """Return all revisions that are kept."""
        found = await self.listed(_REVISION)
        records = [read(text, Key.of(obj).name) for obj in found if (text := (obj.get("data") or {}).get("record"))]
        return History.of(records)

    async def open(self, record: Record, objs: tuple[Obj, ...], old: History) -> None:
        """Write a revision before its first change, and forget those that are too old."""
        first, *others = (encoded(part) for part in divided(compressed(objs)))
        await self._write(record, {_OBJECTS: first}, 1 + len(others))
        for number, text in enumerate(others, 2):
            key = self.part(self.key(record.revision), number)
            await self._apply({**self.object(key, _PART), "binaryData": {_OBJECTS: text}})
        await each((surplus.revision for surplus in old.and_then(record).surplus()), self._forget)

    async def close(self, record: Record) -> None:
        """Write how a revision ended; its objects stay as they are."""
        key = self.key(record.revision)
        live = await self.cluster.get(key)
        await self._write(record, (live or {}).get("binaryData") or {}, parts_of(live))

    async def objects(self, record: Record) -> tuple[Obj, ...]:
        """Return the objects of a revision as they were applied."""
        key = self.key(record.revision)
        try:
            return tuple(await self.content(key, _OBJECTS))
        except ValueError as error:
            raise HistoryError(
                f"read revision {record.revision}", f"{key} does not hold its objects", "choose another revision"
            ) from error

    def key(self, revision: int) -> Key:
        """Return where a revision is kept."""
        return self.numbered(_REVISION, revision)

    async def values(self) -> dict[str, str]:
        """Return the values that the application's Secret has had: KEY.REVISION to value, in base64."""
        live = await self.cluster.get(self._values_key())
        return dict((live or {}).get("data") or {})

    async def keep_values(self, values: Mapping[str, str]) -> None:
        """Keep exactly these values."""
        key = self._values_key()
        await self.cluster.apply({**self.object(key, "secrets"), "type": "Opaque", "data": dict(values)})

    async def forget_values(self, history: History) -> None:
        """Forget the values that nothing is put back with any more."""
        stored = await self.values()
        named = values_named(stored, history.restorable)
        if named != stored:
            await self.keep_values(named)

    async def _write(self, record: Record, binary: Mapping[str, str], parts: int) -> None:
        data = {"record": record.model_dump_json(indent=2), **counted(parts)}
        obj = self.object(self.key(record.revision), _REVISION)
        await self._apply({**obj, "data": data, "binaryData": dict(binary)})

    async def _apply(self, obj: Obj) -> None:
        try:
            await self.cluster.apply(obj)
        except ClusterError as error:
            raise type(error)(f"write the history: {error.act}", error.observed, error.remedy) from error

    async def _forget(self, revision: int) -> None:
        key = self.key(revision)
        for number in range(parts_of(await self.cluster.get(key)), 0, -1):  # the first, which counts them, last
            await self.cluster.delete(self.part(key, number))

    def _values_key(self) -> Key:
        return Key("v1", "Secret", self.namespace, f"{self.app}-secrets-history")
