"""Rendered manifests as objects: read them, find and pin their images, order them.

Nothing else decides what belongs to a release, so nothing is applied that did not pass here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from planera_ci.domain.images import ImageRef, component_of, is_logical, short
from planera_ci.domain.shape import misshapen
from planera_ci.domain.symptom import GRACE_ANNOTATION, grace_of
from planera_ci.errors import ManifestError

Obj = dict[str, Any]
"""One Kubernetes object, as JSON holds it."""

REVISION_ANNOTATION = "planera-ci/revision"
"""On a pod template: the commit that its component's image was built from."""

SECRETS_ANNOTATION = "planera-ci/secrets"
"""On a pod template: the revisions that the secret values which it reads came with."""

ONCE_ANNOTATION = "planera-ci/once"
"""On a workload: keys that it reads when its volume is first filled, and never again, by commas."""

ROTATES_ANNOTATION = "planera-ci/rotates"
"""On a Job: keys whose value it puts into force elsewhere, such as a database's password, by commas."""

# The C library's, where there is one: a thousand objects are read in 0.04 s instead of 0.5 s.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What an object needs must be there before it: the order of `kubectl` users' experience, and of the design.
_WAVES = (
    frozenset({"Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "PersistentVolume"}),
    frozenset({"ClusterRole", "ClusterRoleBinding"}),
    frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding"}),
    frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"}),
    frozenset({"Service"}),
    frozenset({"StatefulSet"}),
    frozenset({"Job", "CronJob"}),  # a backup can be made from when a database runs, before anything else may fail
    frozenset({"Deployment", "DaemonSet", "PodDisruptionBudget"}),
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
        documents = [doc for doc in yaml.load_all(text, _LOADER) if doc is not None]
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
        wrong = misshapen(doc) or _ungraced(doc)
        if wrong:
            raise ManifestError(act, f"{key}: {wrong}", "correct it")
    if not documents:
        raise ManifestError(act, "there is no object in them", "list resources in kustomization.yaml")
    return tuple(documents)


def _ungraced(doc: Obj) -> str:
    """Return what is wrong with the grace that a workload asks for; ignored, it would be missed when it matters."""
    notes = doc["metadata"].get("annotations") or {}
    if GRACE_ANNOTATION not in notes or grace_of(notes) is not None:
        return ""
    return f"metadata.annotations.{GRACE_ANNOTATION} is not a number of seconds"


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
    A CronJob, such as a backup, says of which components it is a companion.
    """
    result = copy.deepcopy(tuple(objs))
    for obj in result:
        if obj["kind"] == "CronJob":
            every = ", ".join(f"{name} {short(revision)}" for name, revision in sorted(revisions.items()))
            _annotate_template(obj.get("spec", {}).get("jobTemplate", {}), every)
        for container in containers(obj):
            image = container["image"]
            reference = pins.get(image, "")
            if not reference or (digests_only and not ImageRef.parse(reference).digest):
                raise ManifestError(f"pin {Key.of(obj)}", f'image "{image}" has no digest', "publish it first")
            container["image"] = reference
            if image in revisions:
                _annotate_template(obj, revisions[image])
    return result


def _annotate_template(obj: Obj, revision: str, annotation: str = REVISION_ANNOTATION) -> None:
    template = obj.get("spec", {}).get("template")
    if template is not None:
        meta = template.setdefault("metadata", {})
        meta["annotations"] = {**(meta.get("annotations") or {}), annotation: revision}


def unpinned(objs: Iterable[Obj], pins: Mapping[str, str]) -> tuple[Obj, ...]:
    """Return pinned objects with the images as the manifests name them."""
    names = {reference: name for name, reference in pins.items()}
    result = copy.deepcopy(tuple(objs))
    for obj in result:
        for container in containers(obj):
            container["image"] = names.get(container["image"], container["image"])
    return result


def with_secret_versions(objs: Iterable[Obj], secret: str, versions: Mapping[str, int]) -> tuple[Obj, ...]:
    """Return the objects with a mark on the pods that read a value which is not the environment's first.

    A pod reads a Secret's value once, when it starts; the mark makes it start again with the new one.
    """
    result = copy.deepcopy(tuple(objs))
    for obj in result:
        read = {key: versions[key] for key in sorted(_followed(obj, secret)) if key in versions}
        _unmark(obj)
        if any(revision > 1 for revision in read.values()):
            mark = ", ".join(f"{key} of {revision}" for key, revision in read.items())
            _annotate_template(obj, mark, SECRETS_ANNOTATION)
    return result


def _followed(obj: Obj, secret: str) -> set[str]:
    """Return the keys of which a new value makes an object's pods start again."""
    read = {key for container in containers(obj) for key in secret_refs(container, secret)}
    if obj["kind"] == "Job":  # it has ended, or reads what is there when it starts
        return read & set(rotated_keys(obj))
    return read - set(once_keys(obj))


def _unmark(obj: Obj) -> None:
    """Take off the mark of a release that had other values."""
    meta = ((obj.get("spec") or {}).get("template") or {}).get("metadata") or {}
    notes = meta.get("annotations") or {}
    if notes.pop(SECRETS_ANNOTATION, None) and not notes:
        del meta["annotations"]


def once_keys(obj: Obj) -> tuple[str, ...]:
    """Return the keys that a workload reads once in its life."""
    return _listed(obj, ONCE_ANNOTATION)


def rotated_keys(obj: Obj) -> tuple[str, ...]:
    """Return the keys whose value a Job puts into force."""
    return _listed(obj, ROTATES_ANNOTATION)


def _listed(obj: Obj, annotation: str) -> tuple[str, ...]:
    text = (obj["metadata"].get("annotations") or {}).get(annotation, "")
    return tuple(word.strip() for word in text.split(",") if word.strip())


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
    refs = (secret_refs(container, secret) for obj in objs for container in containers(obj))
    return tuple(dict.fromkeys(key for found in refs for key, optional in found.items() if not optional))


def secret_refs(container: Obj, secret: str) -> dict[str, bool]:
    """Return the keys of a Secret that a container reads, and whether it starts without them."""
    found: dict[str, bool] = {}
    for entry in container.get("env") or ():
        ref = (entry.get("valueFrom") or {}).get("secretKeyRef") or {}
        if ref.get("name") == secret:
            found[ref["key"]] = bool(ref.get("optional")) and found.get(ref["key"], True)
    return found


def pull_secrets(objs: Iterable[Obj]) -> tuple[str, ...]:
    """Return the names of the registry secrets that the workloads pull with."""
    refs = (ref["name"] for obj in objs for ref in (pod_spec(obj) or {}).get("imagePullSecrets") or ())
    return tuple(dict.fromkeys(refs))
