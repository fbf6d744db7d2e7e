"""Kubeconfigs as values: one with a token in it for an account, and what a token says of its own end."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import yaml

from planera_ci.errors import ConfigError

_CLUSTER_FIELDS = ("server", "certificate-authority-data", "tls-server-name", "insecure-skip-tls-verify")


def for_account(text: str, account: str, namespace: str, token: str) -> str:
    """Return a kubeconfig for an account of the cluster that a kubeconfig's current context names."""
    config = yaml.safe_load(text)
    cluster = _cluster_of(config)
    name = f"{account}@{namespace}"
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": "cluster", "namespace": namespace, "user": name}}],
        "current-context": name,
    }
    return yaml.safe_dump(made, sort_keys=False)


def _cluster_of(config: Mapping[str, Any]) -> dict[str, Any]:
    current = config.get("current-context")
    contexts = {each["name"]: each["context"] for each in config.get("contexts") or ()}
    clusters = {each["name"]: each["cluster"] for each in config.get("clusters") or ()}
    cluster = clusters.get(contexts.get(current, {}).get("cluster"), {})
    if "certificate-authority" in cluster and "certificate-authority-data" not in cluster:
        raise ConfigError(
            "read the kubeconfig",
            "it names a file for the cluster's authority",
            "give the output of `kubectl config view --raw --minify --flatten`",
        )
    return {field: cluster[field] for field in _CLUSTER_FIELDS if field in cluster}


def end_of(token: str) -> float | None:
    """Return when a service account's token ends, in seconds since 1970; nothing where it does not say."""
    parts = token.split(".")
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return float(json.loads(body)["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None
