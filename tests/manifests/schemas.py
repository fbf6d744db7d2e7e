"""JSON schemas for kubeconform from the OpenAPI description of a Kubernetes release, in strict form.

They are made here because the published ones are a download, and because then the version is the lab's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
_REF = "#/definitions/"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
# The description calls both strings; the API takes numbers as well.
_NUMBER_TOO = {"oneOf": [{"type": "string"}, {"type": "number"}]}

LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
"""How kubeconform composes the name of a file: kind, first word of the group, version."""


def write(swagger: Path, folder: Path) -> int:
    """Write a schema for every kind of a release, and return how many."""
    definitions = {
        name: _strict(name, schema) for name, schema in json.loads(swagger.read_text())["definitions"].items()
    }
    number = 0
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            file = folder / _file(kind)
            file.write_text(json.dumps(_standalone(name, kind, definitions)))
            number += 1
    return number


def _file(kind: Mapping[str, str]) -> str:
    """Return the file's name, as LOCATION says it."""
    words = (kind["kind"], kind["group"].partition(".")[0], kind["version"])
    return "-".join(word for word in words if word).lower() + ".json"


def _strict(name: str, schema: Schema) -> Schema:
    """Return a definition that knows the API's numbers, and allows no property that it does not name."""
    if name == _QUANTITY:
        return _NUMBER_TOO
    strict: Schema = _with_numbers(schema)
    if "properties" in strict:
        strict["additionalProperties"] = False
    return strict


def _with_numbers(value: Any) -> Any:
    """Return a part of a schema where what may be a number or a string may be either."""
    if isinstance(value, list):
        return [_with_numbers(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "int-or-string":
        return _NUMBER_TOO
    return {key: _with_numbers(item) for key, item in value.items()}


def _standalone(name: str, kind: Mapping[str, str], definitions: Mapping[str, Schema]) -> Schema:
    """Return the schema of a kind with all that it refers to."""
    version = f"{kind['group']}/{kind['version']}".lstrip("/")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [
            {"$ref": _REF + name},
            {
                "required": ["apiVersion", "kind", "metadata"],
                "properties": {"apiVersion": {"const": version}, "kind": {"const": kind["kind"]}},
            },
        ],
        "definitions": {each: definitions[each] for each in _reached(name, definitions)},
    }


def _reached(name: str, definitions: Mapping[str, Schema]) -> set[str]:
    """Return the names of a definition and of all that it leads to."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead += _refs(definitions[each])
    return found


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _refs(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(_REF)
        for item in value.values():
            yield from _refs(item)
