"""Rendered manifests as objects: read them, find and pin their images, order them.

Nothing else decides what belongs to a release, so nothing is applied that did not pass here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from planera_ci.domain.images import ImageRef, component_of, is_logical
from planera_ci.domain.shape import misshapen
from planera_ci.errors import ManifestError

Obj = dict[str, Any]
"""One Kubernetes object, as JSON holds it."""

REVISION_ANNOTATION = "planera-ci/revision"
"""On a pod template: the commit that its component's image was built from."""

# What an object needs must be there before it: the order of `kubectl` users' experience, and of the design.
_WAVES = (
    frozenset({"Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "PersistentVolume"}),
    frozenset({"ClusterRole", "ClusterRoleBinding"}),
    frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding"}),
    frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim", "PodDisruptionBudget"}),
    frozenset({"Service"}),
    frozenset({"StatefulSet"}),
    frozenset({"Job"}),
    frozenset({"Deployment", "DaemonSet"}),
)


@dataclass(frozen=True, order=True)
class Key:
    """What names an object in a cluster."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Obj) -> Key:
        """Read the key of an object."""
        meta = obj["metadata"]
        return cls(obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"])

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


def parse(text: str, origin: str) -> tuple[Obj, ...]:
    """Read a stream of manifests; refuse what is no object, has no name or comes twice."""
    act = f"read manifests {origin}"
    try:
        documents = [doc for doc in yaml.safe_load_all(text) if doc is not None]
    except yaml.YAMLError as error:
        raise ManifestError(act, f"not YAML: {_where(error)}", "correct the file") from error
    seen: set[Key] = set()
    for number, doc in enumerate(documents, 1):
        missing = _missing(doc)
        if missing:
            raise ManifestError(act, f"document {number} has no {missing}", "add it")
        key = Key.of(doc)
        if key in seen:
            raise ManifestError(act, f"{key} stands there twice", "keep one of them")
        seen.add(key)
        wrong = misshapen(doc)
        if wrong:
            raise ManifestError(act, f"{key}: {wrong}", "correct it")
    if not documents:
        raise ManifestError(act, "there is no object in them", "list resources in kustomization.yaml")
    return tuple(documents)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "unreadable"
    return f"{problem} in line {mark.line + 1}" if mark else str(problem)


def _missing(doc: Any) -> str:
    if not isinstance(doc, dict):
        return "fields: it is a list or a plain value"
    for field in ("apiVersion", "kind"):
        if not isinstance(doc.get(field), str):
            return field
    meta = doc.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return "" if isinstance(name, str) and name else "metadata.name"


def namespace_of(objs: Iterable[Obj], environment: str) -> str:
    """Return the one namespace that the manifests of an environment live in."""
    names = {obj["metadata"].get("namespace", "") for obj in objs if obj["kind"] != "Namespace"}
    names |= {obj["metadata"]["name"] for obj in objs if obj["kind"] == "Namespace"}
    names.discard("")
    if len(names) != 1:
        raise ManifestError(
            f"read manifests of {environment}",
            f"they name {len(names)} namespaces ({', '.join(sorted(names)) or 'none'})",
            "set one `namespace:` in the environment's kustomization.yaml",
        )
    return str(names.pop())


def pod_spec(obj: Obj) -> Obj | None:
    """Return the pod specification inside a workload, or nothing for other kinds."""
    spec = obj.get("spec") or {}
    if obj["kind"] == "Pod":
        return spec
    if obj["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template = spec.get("template") or {}
    inner = template.get("spec")
    return inner if isinstance(inner, dict) and "containers" in inner else None


def containers(obj: Obj) -> Iterator[Obj]:
    """Yield every container of a workload, init containers first."""
    spec = pod_spec(obj) or {}
    for field in ("initContainers", "containers"):
        yield from spec.get(field) or ()


def images(objs: Iterable[Obj]) -> tuple[str, ...]:
    """Return every image that the manifests run, each once, in order."""
    found = [c.get("image", "") for obj in objs for c in containers(obj)]
    for obj in objs:
        if any(not c.get("image") for c in containers(obj)):
            raise ManifestError(f"read {Key.of(obj)}", "a container has no image", "name one")
    return tuple(dict.fromkeys(found))


def components(objs: Iterable[Obj], app: str) -> tuple[str, ...]:
    """Return the components that the manifests deploy, from their logical image names."""
    found = tuple(component_of(image, app) for image in images(objs) if is_logical(image))
    if not found:
        raise ManifestError(
            "read manifests", f"no container runs an image {app}-COMPONENT", "name one so, or pass --name"
        )
    return found


def pinned(
    objs: Iterable[Obj], pins: Mapping[str, str], revisions: Mapping[str, str], *, digests_only: bool = True
) -> tuple[Obj, ...]:
    """Return the objects with every image replaced by its pinned reference.

    `pins` maps each image as written to `repository@sha256:…`; `revisions` maps logical
    names to the commit of their image, which is written onto the pod templates that run them.
    """
    result = copy.deepcopy(tuple(objs))
    for obj in result:
        for container in containers(obj):
            image = container["image"]
            reference = pins.get(image, "")
            if not reference or (digests_only and not ImageRef.parse(reference).digest):
                raise ManifestError(f"pin {Key.of(obj)}", f'image "{image}" has no digest', "publish it first")
            container["image"] = reference
            if image in revisions:
                _annotate_template(obj, revisions[image])
    return result


def _annotate_template(obj: Obj, revision: str) -> None:
    template = obj.get("spec", {}).get("template")
    if template is not None:
        meta = template.setdefault("metadata", {})
        meta["annotations"] = {**(meta.get("annotations") or {}), REVISION_ANNOTATION: revision}


def waves(objs: Iterable[Obj]) -> tuple[tuple[Obj, ...], ...]:
    """Order objects so that each finds what it needs; kinds not named go last, with the Ingress."""
    groups: list[list[Obj]] = [[] for _ in range(len(_WAVES) + 1)]
    for obj in objs:
        index = next((i for i, kinds in enumerate(_WAVES) if obj["kind"] in kinds), len(_WAVES))
        groups[index].append(obj)
    return tuple(tuple(sorted(group, key=Key.of)) for group in groups if group)


def of_kind(objs: Iterable[Obj], *kinds: str) -> tuple[Obj, ...]:
    """Select objects by kind."""
    return tuple(obj for obj in objs if obj["kind"] in kinds)


def secret_keys(objs: Iterable[Obj], secret: str) -> tuple[str, ...]:
    """Return the keys of a Secret that some container needs to start."""
    found: dict[str, None] = {}
    for obj in objs:
        for container in containers(obj):
            for entry in container.get("env") or ():
                ref = (entry.get("valueFrom") or {}).get("secretKeyRef") or {}
                if ref.get("name") == secret and not ref.get("optional"):
                    found[ref["key"]] = None
    return tuple(found)


def pull_secrets(objs: Iterable[Obj]) -> tuple[str, ...]:
    """Return the names of the registry secrets that the workloads pull with."""
    refs = (ref["name"] for obj in objs for ref in (pod_spec(obj) or {}).get("imagePullSecrets") or ())
    return tuple(dict.fromkeys(refs))
