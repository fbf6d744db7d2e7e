"""The environment that a manifest gives a container, as far as it can be known outside a cluster.

Precedence and expansion are the kubelet's: `env` wins over `envFrom`, a later entry over an earlier
one. A variable that takes its value from a Secret is named, never filled in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from planera_ci.domain.manifests import REVISION_ANNOTATION, Key, Obj
from planera_ci.errors import ManifestError

Config = Mapping[str, Mapping[str, str]]
"""The data of each ConfigMap, by its name."""

_REFERENCE = re.compile(r"\$(?:\$|\((?P<name>[^)]*)\))")


@dataclass(frozen=True)
class SecretKey:
    """One key of a Secret that a variable takes its value from."""

    secret: str
    key: str


def variables(obj: Obj, container: Obj, config: Config, revision: str) -> tuple[dict[str, str], dict[str, SecretKey]]:
    """Return a container's variables: those with a value, and those from a Secret."""
    act = f"read the environment of {Key.of(obj)}"
    env = _whole_maps(act, container, config)
    secrets: dict[str, SecretKey] = {}
    for entry in container.get("env") or ():
        name, origin = entry["name"], entry.get("valueFrom") or {}
        if (origin.get("secretKeyRef") or {}).get("optional"):
            continue  # a fresh environment has no such key
        if "secretKeyRef" in origin:
            env.pop(name, None)
            secrets[name] = SecretKey(origin["secretKeyRef"]["name"], origin["secretKeyRef"]["key"])
            continue
        if not origin:
            value: str | None = expanded(act, str(entry.get("value") or ""), env, secrets)
        elif "configMapKeyRef" in origin:
            value = _from_map(act, name, origin["configMapKeyRef"], config)
        else:
            value = _field((origin.get("fieldRef") or {}).get("fieldPath", ""), obj, revision)
        if value is not None:
            secrets.pop(name, None)
            env[name] = value
    return env, secrets


def _whole_maps(act: str, container: Obj, config: Config) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        if "secretRef" in source:
            raise ManifestError(act, "envFrom takes a whole Secret", "name its keys by env and secretKeyRef")
        ref = source.get("configMapRef") or {}
        data = config.get(ref.get("name", ""))
        if data is None and not ref.get("optional"):
            raise ManifestError(act, f'there is no ConfigMap "{ref.get("name")}"', "add it to the manifests")
        env |= {source.get("prefix", "") + key: value for key, value in (data or {}).items()}
    return env


def _from_map(act: str, name: str, ref: Obj, config: Config) -> str | None:
    value = config.get(ref["name"], {}).get(ref["key"])
    if value is None and not ref.get("optional"):
        raise ManifestError(act, f'ConfigMap "{ref["name"]}" has no key "{ref["key"]}" for {name}', "add it")
    return value


def expanded(act: str, text: str, env: Mapping[str, str], secrets: Collection[str]) -> str:
    """Expand $(NAME) as the kubelet does: $$ means $, and an unknown name stays as written."""

    def one(match: re.Match[str]) -> str:
        if match["name"] in secrets:
            raise ManifestError(
                act,
                f"{match[0]} puts a Secret's value into another text, which the smoke test cannot imitate",
                "hand the parts to the program as variables of their own",
            )
        return "$" if match["name"] is None else env.get(match["name"], match[0])

    return _REFERENCE.sub(one, text)


def _field(path: str, obj: Obj, revision: str) -> str:
    """Answer a downward API reference as well as it can be known outside a cluster."""
    meta = ((obj.get("spec") or {}).get("template") or {}).get("metadata") or {}
    known = {
        f"metadata.{field}['{name}']": value
        for field in ("labels", "annotations")
        for name, value in (meta.get(field) or {}).items()
    }
    known |= {
        f"metadata.annotations['{REVISION_ANNOTATION}']": revision,
        "metadata.name": obj["metadata"]["name"],
        "metadata.namespace": obj["metadata"].get("namespace", "default"),
        "status.podIP": "127.0.0.1",
    }
    return str(known.get(path, ""))
