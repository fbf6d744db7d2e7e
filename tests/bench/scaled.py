"""An application of any size: settings that a small workload does not read, and as many pods of it as wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.harness import MANIFESTS, App, copied, prepare, run

Obj = dict[str, Any]
LEAST = 2
"""The objects that are always there: a Deployment and its Service. All others are ConfigMaps."""
_LINES = 12
_DOCKERFILE = """\
FROM busybox:1.37
USER 10001:10001
CMD ["httpd", "-f", "-p", "8080", "-h", "/etc"]
"""


def make_scaled(name: str, folder: Path) -> App:
    """Make an application of one component, with a namespace of its own; `resize` gives it its manifests."""
    app = App(name, folder, cli=True)
    (app.source / "web").mkdir(parents=True)
    (app.source / "web/Dockerfile").write_text(_DOCKERFILE)
    copied(MANIFESTS / "access", app.manifests / "access")
    resize(app, LEAST, 1, "first")
    prepare(app, "access/staging")
    return app


def resize(app: App, objects: int, replicas: int, version: str) -> None:
    """Give an application so many objects and pods; another version changes every object but the Service."""
    folder = app.manifests / "staging"
    folder.mkdir(parents=True, exist_ok=True)
    settings = [_settings(number, version) for number in range(objects - LEAST)]
    parts = {"web.yaml": [_service(), _deployment(replicas, version)], "settings.yaml": settings}
    for name, objs in parts.items():
        (folder / name).write_text(yaml.safe_dump_all(objs))
    kustomization = {"namespace": app.namespace, "resources": [name for name, objs in parts.items() if objs]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))


def room() -> int:
    """Return how many more pods the cluster's nodes take."""
    nodes = json.loads(run(["kubectl", "get", "nodes", "-o", "json"]))["items"]
    alive = "--field-selector=status.phase!=Succeeded,status.phase!=Failed"
    pods = run(["kubectl", "get", "pods", "-A", "-o", "name", alive]).split()
    return sum(int(node["status"]["allocatable"]["pods"]) for node in nodes) - len(pods)


def _object(api_version: str, kind: str, name: str, **rest: Any) -> Obj:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **rest}


def _settings(number: int, version: str) -> Obj:
    """Return a ConfigMap of some 400 bytes, such as a file of settings."""
    lines = "".join(f"setting.{line} = value {number * line % 97} of {number}\n" for line in range(_LINES))
    return _object("v1", "ConfigMap", f"settings-{number:04}", data={"version": version, "settings": lines})


def _service() -> Obj:
    spec = {"selector": {"app.kubernetes.io/name": "web"}, "ports": [{"name": "http", "port": 8080}]}
    return _object("v1", "Service", "web", spec=spec)


def _deployment(replicas: int, version: str) -> Obj:
    labels = {"app.kubernetes.io/name": "web"}
    container = {
        "name": "web",
        "image": "planera-web",
        "env": [{"name": "VERSION", "value": version}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/passwd", "port": "http"}, "periodSeconds": 5},
        "resources": {"requests": {"cpu": "1m", "memory": "4Mi"}, "limits": {"memory": "32Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "imagePullSecrets": [{"name": "planera-registry"}],
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", "web", spec=spec)
