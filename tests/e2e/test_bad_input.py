"""Wrong input gets one clear sentence, and nothing is touched: no image, no object."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e import registry
from tests.e2e.harness import App, run


@dataclass(frozen=True)
class Case:
    name: str
    spoil: Callable[[App], tuple[str, ...]]
    """Spoils the application and returns the flags of the call."""
    says: tuple[str, ...]


def without_dockerfile(app: App) -> tuple[str, ...]:
    (app.source / "frontend/Dockerfile").unlink()
    return ()


def no_yaml(app: App) -> tuple[str, ...]:
    (app.manifests / "base/backend.yaml").write_text("kind: [Deployment\n")
    return ()


def wrong_schema(app: App) -> tuple[str, ...]:
    app.edit("k8s/base/backend.yaml", "replicas: 1", "replicas: one")
    return ()


def unknown_field(app: App) -> tuple[str, ...]:
    app.edit("k8s/base/backend.yaml", "replicas: 1", "replica: 1")
    return ()


def unknown_kind(app: App) -> tuple[str, ...]:
    app.edit("k8s/base/migrate.yaml", "kind: Job", "kind: Jobs")
    return ()


def unknown_image(app: App) -> tuple[str, ...]:
    app.edit("k8s/base/postgres.yaml", "postgres:17", "postgres:no-such-tag")
    return ()


def wrong_password(app: App) -> tuple[str, ...]:
    (app.folder / "token").write_text("not-the-token")
    return (f"--token=file://{app.folder}/token",)


def kubeconfig() -> str:
    return Path(os.environ["KUBECONFIG"]).read_text()


def written(app: App, text: str) -> Path:
    file = app.folder / "kubeconfig"
    file.write_text(text)
    return file


def no_kubeconfig(app: App) -> tuple[str, ...]:
    return (f"--kubeconfig=file://{written(app, 'kind: Config')}",)


def failing_test(app: App) -> tuple[str, ...]:
    (app.source / "backend/tests/unit/test_wrong.py").write_text("def test_wrong():\n    assert 'tea' == 'coffee'\n")
    return ()


def failing_build(app: App) -> tuple[str, ...]:
    dockerfile = app.source / "frontend/Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "RUN no-such-program\n")
    return ()


def failing_smoke(app: App) -> tuple[str, ...]:
    config = app.source / "frontend/nginx/default.conf"
    config.write_text(config.read_text() + "\nsettings_of_the_moon on;\n")
    return ()


def missing_key(app: App) -> tuple[str, ...]:
    app.edit("k8s/base/kustomization.yaml", "      - DATABASE_HOST=postgres\n", "")
    return ()


def wrong_port(app: App) -> tuple[str, ...]:
    app.edit("k8s/base/frontend.yaml", "containerPort: 8080", "containerPort: 8081")
    return ()


CASES = [
    Case("no Dockerfile", without_dockerfile, ("build frontend: frontend/Dockerfile does not exist",)),
    Case("manifest is no YAML", no_yaml, ("render staging:", "backend.yaml")),
    Case("wrong schema", wrong_schema, ("deployment/backend", "replicas")),
    Case("unknown field", unknown_field, ("deployment/backend", ".spec.replica: field not declared in schema")),
    Case("unknown kind", unknown_kind, ("the cluster knows no Jobs in batch/v1",)),
    Case("image in no registry", unknown_image, ("resolve image postgres:no-such-tag",)),
    Case("wrong registry password", wrong_password, ("refused the login of user planera",)),
    Case("not a kubeconfig", no_kubeconfig, ("read the kubeconfig:", "kubectl config view")),
    Case("failing application test", failing_test, ("test backend:", "assert 'tea' == 'coffee'")),
    Case("failing build", failing_build, ("build frontend: frontend/Dockerfile", "no-such-program")),
    Case("container ends at once", failing_smoke, ("smoke test frontend:", "settings_of_the_moon")),
    Case("missing setting", missing_key, ("smoke test", "DATABASE_HOST")),
    Case("wrong port", wrong_port, ("service/frontend", "target port")),
]


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    """Return an application of which nothing is ever published or applied here: each test finds it untouched."""
    return make()


@pytest.fixture
def app(own: App) -> Iterator[App]:
    """Give the application to one test, and put its files back."""
    kept = own.folder.with_name(f"{own.folder.name}-kept")
    shutil.copytree(own.folder, kept)
    yield own
    shutil.rmtree(own.folder)
    kept.rename(own.folder)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_before_anything_is_touched(app: App, case: Case) -> None:
    """The message names what is wrong; no image was published and no object made."""
    flags = case.spoil(app)
    app.commit("spoilt")
    outcome = app.deploy(flags=flags)
    assert outcome.code != 0
    for words in case.says:
        assert words in outcome.message, outcome.message[-3000:]
    assert "Traceback" not in outcome.message
    assert "unhandled errors in a TaskGroup" not in outcome.message
    assert not app.touched()
    assert not any(registry.has(app.repository(c)) for c in ("backend", "frontend"))


def test_unknown_environment_is_refused(app: App) -> None:
    """An environment that does not exist is refused by name, with those that do."""
    outcome = app.call("deploy", "--env=stagin")
    assert outcome.code != 0
    assert "read --env stagin: there is no such environment. Give one of: staging, production." in outcome.message
    assert not app.touched()


def test_unreachable_cluster_is_told(app: App) -> None:
    """An API server that does not answer is named, with what to check; it is reached through the CLI."""
    outcome = app.typed("deploy", "--env=staging", flags=("--cluster=tcp://127.0.0.1:9",))
    assert outcome.code != 0
    assert "reach the cluster: no answer from https://127.0.0.1:6443" in outcome.message
    assert not any(registry.has(app.repository(c)) for c in ("backend", "frontend"))


def account(app: App, rule: str) -> str:
    """Make a service account that may do what the rule says, and return a kubeconfig for it."""
    run(["kubectl", "-n", "default", "create", "serviceaccount", app.name])
    if rule:
        run(["kubectl", "create", "clusterrole", app.name, "--verb=*", f"--resource={rule}"])
        run(
            [
                "kubectl",
                "create",
                "clusterrolebinding",
                app.name,
                f"--clusterrole={app.name}",
                f"--serviceaccount=default:{app.name}",
            ]
        )
    token = run(["kubectl", "-n", "default", "create", "token", app.name]).strip()
    config = yaml.safe_load(kubeconfig())
    config["users"] = [{"name": "limited", "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = "limited"
    return yaml.safe_dump(config)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("", "namespaces"),
        ("deployments.apps,namespaces/status", "namespace"),
    ],
    ids=["no right at all", "no right to namespaces"],
)
def test_missing_right_is_told(app: App, rule: str, says: str) -> None:
    """A right that the kubeconfig's user lacks is named, before anything is published."""
    try:
        outcome = app.deploy(flags=(f"--kubeconfig=file://{written(app, account(app, rule))}",))
    finally:
        run(["kubectl", "-n", "default", "delete", "serviceaccount", app.name])
        run(["kubectl", "delete", "clusterrole,clusterrolebinding", app.name, "--ignore-not-found"])
    assert outcome.code != 0
    assert says in outcome.message
    assert "grant" in outcome.message.lower()
    assert not app.touched()
    assert not any(registry.has(app.repository(c)) for c in ("backend", "frontend"))


def test_wrong_token_is_told(app: App) -> None:
    """Credentials that the API server does not know are told as such."""
    config = yaml.safe_load(kubeconfig())
    config["users"] = [{"name": "nobody", "user": {"token": "unknown"}}]
    config["contexts"][0]["context"]["user"] = "nobody"
    outcome = app.call(
        "status", "--env=staging", flags=(f"--kubeconfig=file://{written(app, yaml.safe_dump(config))}",)
    )
    assert outcome.code != 0
    assert "refused the credentials" in outcome.message
