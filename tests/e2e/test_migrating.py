"""A set-up that hand-written workflows deployed is brought to planera-ci by the commands of docs/migrating.md."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from planera_ci.domain.adoption import COPY
from tests.e2e.harness import App, run
from tests.e2e.migration import Repository, commands
from tests.e2e.shim import dagger_in_process
from tests.e2e.steady import Steady
from tests.e2e.undoing import Undoing
from tests.e2e.web import Web

_PASSWORD = "planera-staging-123"  # as handwritten/before has it in base64
_ADOPTED = {
    *("Deployment/backend", "Deployment/frontend", "StatefulSet/postgres", "Ingress/planera-ingress"),
    *("Service/backend", "Service/frontend", "Service/postgres"),
}
_KINDS = "deployments,statefulsets,services,ingresses"
_UNCHANGED = "0 changed, 10 unchanged, 0 removed"
_ACCESS = 'dagger call --kubeconfig "file://$KUBECONFIG" access --env staging > staging.kubeconfig'
_RUNNING = "kubectl -n planera-staging get pod postgres-0 -o jsonpath='{.status.containerStatuses[0].imageID}'"
_SECRET = (
    "kubectl -n planera-staging get secret planera-credentials -o json"
    ' | jq \'.metadata = {name: "planera-secrets"}'
    ' | .data |= {"database-password": .DB_PASSWORD, "jwt-secret": .JWT_SECRET}\''
    " | kubectl -n planera-staging create -f -"
)
_LEFT = (
    "kubectl -n planera-staging get all,configmap,secret,ingress,pvc -o json"
    ' | jq -r \'.items[] | select(.metadata.annotations | tostring | test("last-applied"))'
    ' | "\\(.kind)/\\(.metadata.name)"\''
)
_DELETE = "kubectl -n planera-staging delete configmap/planera-config secret/planera-credentials secret/ghcr-login"


@dataclass
class Pages(Steady):
    """A reader who opens the page again and again while the block runs."""

    patience: ClassVar[float] = 30.0
    web: Web
    host: str
    done: int = 0
    lost: list[str] = field(default_factory=list)

    def users(self) -> Iterable[Callable[[], None]]:
        """Return the one reader."""
        return [self._read]

    def _read(self) -> None:
        while not self._over.wait(0.2):
            try:
                status, _ = self.web.get(self.host, "/")
            except OSError as error:
                self.lost.append(repr(error))
            else:
                self.done += 1
                self.lost += [] if status == 200 else [str(status)]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Deploy the set-up of before, with kubectl and as an administrator."""
    repository = Repository(App(f"t{secrets.token_hex(3)}", tmp_path_factory.mktemp("app")))
    repository.begin()
    with dagger_in_process(tmp_path_factory.mktemp("bin")):
        yield repository
    repository.app.remove()


def _metadata(app: App) -> dict[str, dict[str, Any]]:
    """Return of each object what is said about it; cert-manager's own ones come and go while it is at work."""
    objs = app.get(_KINDS)
    found = {f"{obj['kind']}/{obj['metadata']['name']}": obj["metadata"] for obj in objs}
    return {name: meta for name, meta in found.items() if "/cm-acme" not in name}


def _volume(app: App) -> tuple[str, str]:
    claim = app.get("pvc", "data-postgres-0")[0]
    return claim["metadata"]["uid"], claim["spec"]["volumeName"]


def _database(app: App) -> tuple[str, int]:
    pod = app.get("pod", "postgres-0")[0]
    return pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]


def _titles(web: Web, app: App) -> list[str]:
    return [task["title"] for task in json.loads(web.get(app.api, "/api/tasks")[1])["tasks"]]


def test_first_deployment_adopts_what_kubectl_applied_and_loses_no_request(old: Repository, web: Web) -> None:
    """Pods roll, the database does not; nothing of the old manifests stays that the new ones lack, but for data."""
    app = old.app
    assert web.answers(app.api, "/health")
    assert web.answers(app.host, "/")
    assert web.ask("POST", app.api, "/api/tasks", '{"title": "from before"}')[0] == 201
    volume, database = _volume(app), _database(app)
    assert set(_metadata(app)) == _ADOPTED
    with Undoing(web, app.api) as load, Pages(web, app.host) as pages:
        old.follow("sed -i 's/number: 80/name: http/' k8s/staging/ingress.yaml")
        old.steps("Apply the manifests")
        image = old.follow(_RUNNING)
        old.convert()
        old.edit("k8s/staging/postgres.yaml", "image: postgres:17", f"image: {image}")
        old.follow(_ACCESS)
        old.follow("dagger call plan --env staging", refused=True)
        old.follow(_SECRET)
        plan = old.follow("dagger call plan --env staging")
        report = old.follow("dagger call deploy --env staging")
    assert not load.lost, load.lost[:10]
    assert not pages.lost, pages.lost[:10]
    assert min(load.done, pages.done) > 50
    assert "~ deployment/backend (update, adopted from kubectl-client-side-apply)" in plan
    assert 'env[DEBUG_TOKEN]: {"name": "DEBUG_TOKEN", "value": "***"} → (absent)' in plan
    assert "0 removed, 7 adopted" in plan
    assert "0 removed, 7 adopted" in report
    assert "database-password: the password is in force" in report
    assert (_volume(app), _database(app)) == (volume, database)
    for name, meta in _metadata(app).items():
        own = {entry["manager"] for entry in meta["managedFields"] if not entry.get("subresource")}
        assert own == {"planera-ci"}, name
        assert COPY not in meta.get("annotations", {}), name
        assert "version" not in meta.get("labels", {}), name
    container = app.get("deployment", "backend")[0]["spec"]["template"]["spec"]
    assert "initContainers" not in container
    assert "DEBUG_TOKEN" not in {entry["name"] for entry in container["containers"][0]["env"]}
    assert "from before" in _titles(web, app)


def test_nothing_changes_after_it_and_what_was_before_is_found(old: Repository) -> None:
    """The plan is empty, a second deployment changes nothing, and it has deleted no object that it did not apply."""
    assert old.follow("dagger call plan --env staging").strip() == _UNCHANGED
    assert "0 changed, 12 unchanged, 0 removed" in old.follow("dagger call deploy --env staging")
    assert old.follow(_LEFT).split() == ["ConfigMap/planera-config", "Secret/planera-credentials"]


def test_database_takes_its_turn_and_what_was_before_is_deleted(old: Repository, web: Web) -> None:
    """The pod is another one then, on the same volume and with the same password; a rollback works, and a rotation."""
    app = old.app
    volume, (database, _) = _volume(app), _database(app)
    old.edit("k8s/staging/postgres.yaml", "partition: 1", "partition: 0")
    assert "postgres 1/1" in old.follow("dagger call deploy --env staging")
    old.follow(_DELETE)
    assert _database(app)[0] != database
    assert _volume(app) == volume
    assert app.enters(_PASSWORD)
    assert web.answers(app.api, "/health")
    assert "from before" in _titles(web, app)
    assert "revision 1 put back" in old.follow("dagger call rollback --env staging")
    old.follow("dagger call rotate --env staging --secret jwt-secret --drop")
    assert "from before" in _titles(web, app)


def test_pod_security_is_enforced_when_no_pod_of_before_is_left(old: Repository) -> None:
    """The namespace refuses weak pods from then on, and the application is as it was."""
    file = old.app.source / "k8s/access/staging/kustomization.yaml"
    file.write_text(file.read_text().partition("# Pods of before")[0])
    old.follow(_ACCESS)
    labels = json.loads(run(["kubectl", "get", "namespace", old.app.namespace, "-o", "json"]))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["environment"] == "staging"
    plan = old.follow("dagger call plan --env staging")
    assert "partition: 1 → 0" in plan, "what was rolled back"
    assert "1 changed, 9 unchanged, 0 removed" in plan


def test_every_command_of_the_page_was_run(old: Repository) -> None:
    """A command that the page shows and nothing runs would be one that nobody knows to work."""
    assert [str(command) for command in commands() if command.line not in old.done] == []
