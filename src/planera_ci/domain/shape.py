"""Where a manifest breaks the shape of its kind, for the fields that the pipeline itself reads.

The API server's dry run checks all the rest, and better; this makes the same mistake a sentence
where no server is asked, and keeps the other rules free of doubts about what they read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_REF = {"name!": str}
_KEY = {"name!": str, "key!": str}
_PORT = (int, str)
_TEXTS = {"*": str}
_PROBE = {"httpGet": {"port!": _PORT, "path": str}, "tcpSocket": {"port!": _PORT}, "exec": {"command!": [str]}}
_CONTAINER = {
    "name!": str,
    "image": str,
    "command": [str],
    "args": [str],
    "env": [
        {
            "name!": str,
            "value": str,
            "valueFrom": {"secretKeyRef": _KEY, "configMapKeyRef": _KEY, "fieldRef": {"fieldPath!": str}},
        }
    ],
    "envFrom": [{"configMapRef": _REF, "secretRef": _REF, "prefix": str}],
    "ports": [{"containerPort!": int, "name": str, "protocol": str}],
    "volumeMounts": [{"name!": str, "mountPath!": str}],
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
}
_META = {"labels": _TEXTS, "annotations": _TEXTS}
_POD = {
    "containers!": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "volumes": [{"name!": str}],
    "imagePullSecrets": [_REF],
}
_TEMPLATE = {"metadata": _META, "spec!": _POD}
_WORKLOAD = {"spec!": {"template!": _TEMPLATE}}
_PATH = {"path": str, "backend": {"service": _REF}}
_SCHEMAS: Mapping[str, Any] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "Job"), _WORKLOAD),
    "CronJob": {"spec!": {"jobTemplate!": _WORKLOAD}},
    "Pod": {"spec!": _POD},
    "ConfigMap": {"data": _TEXTS},
    "Service": {"spec!": {"selector": _TEXTS, "ports": [{"port!": int, "targetPort": _PORT}]}},
    "Ingress": {
        "spec!": {
            "tls": [{"hosts": [str]}],
            "rules": [{"host": str, "http": {"paths": [_PATH]}}],
        }
    },
}
_NAMES = {dict: "a mapping", list: "a list", str: "text (quote it)", int: "a number", _PORT: "a number or a name"}


def misshapen(obj: Mapping[str, Any]) -> str:
    """Return the first place where an object breaks the shape of its kind, or nothing."""
    schema = {"metadata": _META, **_SCHEMAS.get(str(obj["kind"]), {})}
    return next(_errors(obj, schema, ""), "")


def _errors(value: Any, schema: Any, path: str) -> Iterator[str]:
    """Yield what is wrong; a field that is null counts as absent, as it does for the API server."""
    if isinstance(schema, dict):
        yield from _mapping(value, schema, path)
    elif isinstance(schema, list):
        if not isinstance(value, list):
            yield f"{path} is not {_NAMES[list]}"
            return
        for index, item in enumerate(value):
            yield from _errors(item, schema[0], f"{path}[{index}]")
    elif not isinstance(value, schema) or isinstance(value, bool):
        yield f"{path} is not {_NAMES[schema]}"


def _mapping(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is not {_NAMES[dict]}"
        return
    prefix = f"{path}." if path else ""
    for field, inner in schema.items():
        name = field.removesuffix("!")
        if name == "*":
            for key, item in value.items():
                yield from _errors(item, inner, f"{prefix}{key}")
        elif value.get(name) is not None:
            yield from _errors(value[name], inner, f"{prefix}{name}")
        elif name != field:
            yield f"{path or 'it'} has no {name}"
