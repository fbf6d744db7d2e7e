"""Values that are planted, and where they turn up: in whatever form, in text, in objects, in images."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus

from tests.e2e import registry
from tests.e2e.harness import App
from tests.e2e.objects import kinds, listed

_DEEPEST = 4


@cache
def forms(value: str) -> frozenset[bytes]:
    """Return a value as anything may write it; of base64 the part that is the same whatever stands around it."""
    data = value.encode()
    found = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], data.hex()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found |= {encode(bytes(before) + data).decode()[4:-4] for before in range(3)}
    return frozenset(form.encode() for form in found)


def found_in(data: bytes, values: Mapping[str, str], depth: int = 0) -> set[str]:
    """Return the names of the values that data hold, compressed and packed ones unpacked."""
    hits = {name for name, value in values.items() if any(form in data for form in forms(value))}
    for inner in _unpacked(data) if depth < _DEEPEST else ():
        hits |= found_in(inner, values, depth + 1)
    return hits


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        yield zlib.decompress(data)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            # A link's target may be in another layer, which is looked through as well.
            regular = (member for member in archive if member.isreg())
            yield from (file.read() for member in regular if (file := archive.extractfile(member)))


def objects(namespace: str) -> Iterator[tuple[str, bytes]]:
    """Yield every object of a namespace but its Secrets, as text and, where it holds data in base64, as those."""
    for kind in sorted({names[0] for names in kinds().values()} - {"secrets"}):
        for obj in listed(namespace, kind):
            name = f"{kind}/{obj['metadata']['name']}"
            yield name, json.dumps(obj, ensure_ascii=False).encode()
            yield from ((name, data) for data in _decoded(obj))


def _decoded(value: Any) -> Iterator[bytes]:
    """Yield every string as its own text, and in the base64 of binaryData as the bytes that it stands for."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "binaryData":
                yield from (base64.b64decode(text) for text in item.values())
            else:
                yield from _decoded(item)
    elif isinstance(value, list):
        for item in value:
            yield from _decoded(item)
    elif isinstance(value, str):
        yield value.encode()


def images(app: App, components: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield every manifest, configuration and layer of an application's published images."""
    for component in components:
        repository = app.repository(component)
        for tag in registry.tags(repository):
            text, manifest = registry.manifest(repository, tag)
            yield f"{repository}:{tag}", text
            for blob in (manifest["config"], *manifest["layers"]):
                yield f"{repository}@{blob['digest']}", registry.blob(repository, blob["digest"])
