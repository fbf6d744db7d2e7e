"""The very objects that planera-ci applies, for other deployers: rendered, pinned, moved to another namespace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from planera_ci.domain.manifests import REVISION_ANNOTATION, pinned
from tests.e2e.harness import App, rendered

Obj = dict[str, Any]
_OWN = ("planera-secrets", "planera-registry")


@dataclass(frozen=True)
class Home:
    """Where another deployer keeps its copy of an application."""

    namespace: str
    host: str
    api: str


def home(app: App, who: str) -> Home:
    """Return a namespace and hosts beside those of an application."""
    return Home(f"{app.namespace}-{who}", f"{app.name}-{who}.planera.app", f"{app.name}-{who}-api.planera.app")


def pinned_objects(app: App) -> list[Obj]:
    """Return the application's manifests, edited as they are, with the images that run now."""
    objs = rendered(app.manifests / "staging")
    pins, revisions = _running(app)
    images = {c["image"] for obj in objs for c in _containers(obj)}
    pins |= {image: image for image in images if "@sha256:" in image}
    return list(pinned(objs, pins, revisions))


def own_secrets(app: App) -> list[Obj]:
    """Return the Secrets that planera-ci wrote."""
    found = [secret for secret in app.get("secrets") if secret["metadata"]["name"] in _OWN]
    keys = ("name", "namespace", "labels")
    return [{**obj, "metadata": {key: obj["metadata"][key] for key in keys}} for obj in found]


def moved(objs: list[Obj], app: App, there: Home) -> list[Obj]:
    """Return objects as they are in another namespace, with hosts of its own."""
    text = json.dumps(objs)
    for old, new in {app.namespace: there.namespace, app.api: there.api, app.host: there.host}.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    found: list[Obj] = json.loads(text)
    return found


def written(objs: list[Obj], file: Path) -> Path:
    """Write objects as YAML documents."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump_all(objs))
    return file


def _containers(obj: Obj) -> list[Obj]:
    spec = ((obj.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _running(app: App) -> tuple[dict[str, str], dict[str, str]]:
    """Return what each image name of the manifests is pinned to, and the revision that it was built from."""
    pins, revisions = {}, {}
    for workload in app.get("deployments,statefulsets"):
        template = workload["spec"]["template"]
        name, image = workload["metadata"]["name"], template["spec"]["containers"][-1]["image"]
        revision = (template["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION)
        logical = f"planera-{name}" if revision else f"{name}:17"
        pins[logical] = image
        if revision:
            revisions[logical] = revision
    return pins, revisions
