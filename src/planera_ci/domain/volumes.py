"""Which volumes hold a workload's data, and which values those data may have been made with.

A database takes its password when it makes its files, and never again: a value that is generated beside a volume that
is there already locks everybody out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from planera_ci.domain.manifests import Key, Obj, containers, of_kind, once_keys, pod_spec, secret_refs


@dataclass(frozen=True)
class Stake:
    """A value that is lacking, and the claims of which one may hold data that were made with it."""

    key: str
    workload: Key
    claims: tuple[Key, ...]


def claims(obj: Obj) -> tuple[Key, ...]:
    """Return the claims of a workload's volumes; of a stateful set's own ones those of its first pod."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    volumes = (pod_spec(obj) or {}).get("volumes") or ()
    named = [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]
    first = (spec.get("ordinals") or {}).get("start", 0)
    own = [f"{each['metadata']['name']}-{meta['name']}-{first}" for each in spec.get("volumeClaimTemplates") or ()]
    return tuple(Key("v1", "PersistentVolumeClaim", meta.get("namespace", ""), name) for name in (*named, *own))


def stakes(
    objs: Iterable[Obj], secret: str, lacking: Collection[str], *, anew: bool, always: str = ""
) -> Iterator[Stake]:
    """Yield the lacking values on which data may depend: those read once, one always, and where no Secret is, any."""
    for obj in of_kind(objs, "Deployment", "StatefulSet"):
        found, once = claims(obj), once_keys(obj)
        read = dict.fromkeys(key for container in containers(obj) for key in secret_refs(container, secret))
        if found:
            at_stake = (key for key in read if key in lacking and (anew or key in once or key == always))
            yield from (Stake(key, Key.of(obj), found) for key in at_stake)


def made_by(claim: Obj, manager: str) -> bool:
    """Tell whether a claim came with a release: then its volume was empty."""
    return any(entry.get("manager") == manager for entry in claim["metadata"].get("managedFields") or ())
