"""Let an account deploy to one environment: write what it may do, and get a token for it that ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planera_ci.cluster.client import Cluster
from planera_ci.domain.kubeconfig import end_of
from planera_ci.domain.manifests import Key, Obj, of_kind, waves
from planera_ci.errors import ManifestError


@dataclass(frozen=True)
class Grant:
    """A token for an account."""

    account: str
    namespace: str
    token: str
    ends: float | None
    """Seconds since 1970; the API server may have given less time than was asked for."""


async def granted(cluster: Cluster, objs: Iterable[Obj], seconds: int, act: str) -> Grant:
    """Apply the objects of an account and return a token for it (Kubernetes API, TokenRequest)."""
    objs = tuple(objs)
    accounts = of_kind(objs, "ServiceAccount")
    if len(accounts) != 1:
        raise ManifestError(act, f"the manifests have {len(accounts)} ServiceAccounts", "give exactly one to deploy as")
    for wave in waves(objs):
        for obj in wave:
            await cluster.apply(obj)
    key = Key.of(accounts[0])
    token = await cluster.token(key, seconds)
    return Grant(key.name, key.namespace, token, end_of(token))
