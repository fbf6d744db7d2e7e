"""The Secrets that the pipeline owns: values given or generated once, and the registry login.

A value that is there is never overwritten by a generated one, and none is ever returned or shown.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping

from planera_ci.cluster.client import FIELD_MANAGER, Cluster
from planera_ci.domain.manifests import Key, Obj, secret_keys
from planera_ci.domain.rotation import PREVIOUS, check_given
from planera_ci.domain.volumes import made_by, stakes
from planera_ci.errors import ConfigError

DATABASE_PASSWORD, JWT_SECRET = "database-password", "jwt-secret"
GENERATED = frozenset({DATABASE_PASSWORD, JWT_SECRET})
_BYTES = 32


async def application_secret(
    cluster: Cluster,
    namespace: str,
    name: str,
    needed: Iterable[str],
    given: Mapping[str, str],
    stored: Mapping[str, str],
    labels: Mapping[str, str],
) -> Obj:
    """Return the application's Secret with every needed key: given, kept, or generated; `stored` is its history."""
    live = await cluster.get(Key("v1", "Secret", namespace, name))
    data: dict[str, str] = dict((live or {}).get("data") or {})
    for key in needed:
        if given.get(key):
            value = _encoded(given[key])
            check_given(f"fill secret {name}", key, value, data, stored)
            data[key] = value
        elif key not in data:
            if key not in GENERATED:
                raise ConfigError(
                    f"fill secret {name}",
                    f'the manifests need its key "{key}", which is neither given nor there',
                    f"create it: kubectl -n {namespace} create secret generic {name} --from-literal={key}=…",
                )
            data[key] = _encoded(secrets.token_urlsafe(_BYTES))
    return secret(namespace, name, "Opaque", data, labels)


def is_made_by_hand(key: str) -> bool:
    """Tell whether only a person can have put a key into the Secret: no release makes it, so none takes it away."""
    return key not in GENERATED and not key.endswith(PREVIOUS)


async def check_generated(
    cluster: Cluster, objs: Iterable[Obj], namespace: str, name: str, given: Iterable[str] = ()
) -> None:
    """Refuse to generate a value for data that are there already, which were made with another one."""
    objs = tuple(objs)
    live = await cluster.get(Key("v1", "Secret", namespace, name))
    there = {*((live or {}).get("data") or {}), *given}
    lacking = [key for key in secret_keys(objs, name) if key in GENERATED and key not in there]
    for stake in stakes(objs, name, lacking, anew=live is None, always=DATABASE_PASSWORD):
        for key in stake.claims:
            claim = await cluster.get(key)
            if claim is None or made_by(claim, FIELD_MANAGER):
                continue
            value = f"create secret generic {name} --from-literal={stake.key}=…"
            if live is not None:
                value = f"""patch secret {name} -p '{{"stringData":{{"{stake.key}":"…"}}}}'"""
            raise ConfigError(
                f"fill secret {name}",
                f'the manifests need its key "{stake.key}", which is not there, but {key} of {stake.workload} is: its '
                "data know another value than one that is generated now; nothing was touched",
                f"put the value in force into it: kubectl -n {namespace} {value}",
            )


def registry_secret(namespace: str, name: str, registry: str, user: str, token: str, labels: Mapping[str, str]) -> Obj:
    """Return the Secret that the kubelet pulls images with."""
    login = {"auth": _encoded(f"{user}:{token}"), "username": user, "password": token}
    config = json.dumps({"auths": {registry: login}}, sort_keys=True)
    return secret(namespace, name, "kubernetes.io/dockerconfigjson", {".dockerconfigjson": _encoded(config)}, labels)


def secret(namespace: str, name: str, kind: str, data: Mapping[str, str], labels: Mapping[str, str]) -> Obj:
    """Return a Secret with these values, which are in base64 already."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "type": kind,
        "data": dict(data),
    }


async def known_values(cluster: Cluster, namespace: str, app: str) -> tuple[str, ...]:
    """Return every value of the Secrets that the pipeline writes, which are those that it can read, to mask them."""
    found: list[str] = []
    for name in (f"{app}-secrets", f"{app}-secrets-history", f"{app}-registry"):
        live = await cluster.get(Key("v1", "Secret", namespace, name))
        for value in ((live or {}).get("data") or {}).values():
            text = decoded(value)
            found.extend((text, *_leaves(text)) if text else (value,))
    return tuple(filter(None, found))


def decoded(value: str) -> str:
    """Return a Secret's value as text; what is no text is hidden by its base64 alone."""
    try:
        return base64.b64decode(value).decode()
    except ValueError:
        return ""


def _leaves(text: str) -> tuple[str, ...]:
    """Return the passwords of a registry login, which is JSON."""
    try:
        logins = json.loads(text)["auths"].values()
        return tuple(login[field] for login in logins for field in ("password", "auth"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
