"""The account that deploys can do just that, in one namespace, for a while."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from planera_ci.cluster.client import connect
from planera_ci.cluster.connection import token_of
from planera_ci.domain.kubeconfig import end_of
from tests.e2e.harness import App, admit, run


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    """Make an application whose deployer exists."""
    return make()


def allowed(app: App, *words: str) -> bool:
    """Ask the API server as the deployer whether it may do something."""
    command = ["kubectl", f"--kubeconfig={app.kubeconfig}", "auth", "can-i", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() in {"yes", "no"}, done.stderr
    return done.stdout.strip() == "yes"


@pytest.mark.parametrize(
    "words",
    [
        ("get", "pods", "--namespace=kube-system"),
        ("list", "secrets", "--namespace=kube-system"),
        ("create", "deployments.apps", "--namespace=default"),
        ("list", "namespaces"),
        ("create", "namespaces"),
        ("list", "nodes"),
        ("create", "clusterroles"),
        ("get", "persistentvolumes"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("get", "secrets/somebody-elses"),
        ("delete", "secrets/planera-secrets"),
        ("delete", "persistentvolumeclaims"),
        ("deletecollection", "configmaps"),
        ("watch", "configmaps"),
        ("list", "services"),
        ("create", "roles"),
        ("update", "rolebindings"),
        ("create", "serviceaccounts"),
        ("create", "serviceaccounts/deployer", "--subresource=token"),
        ("patch", "namespaces"),
        ("delete", "namespaces"),
        ("get", "pods/postgres-0", "--subresource=exec"),
        ("create", "pods/postgres-0", "--subresource=exec"),
        ("create", "pods/postgres-0", "--subresource=portforward"),
        ("create", "pods/postgres-0", "--subresource=attach"),
        ("update", "pods", "--subresource=ephemeralcontainers"),
        ("impersonate", "users"),
        ("escalate", "roles"),
        ("bind", "roles"),
    ],
    ids=" ".join,
)
def test_deployer_must_not(own: App, words: tuple[str, ...]) -> None:
    """Nothing in other namespaces, nothing of the cluster, no other Secret, no way to more rights."""
    where = () if any(word.startswith("--namespace") for word in words) else (f"--namespace={own.namespace}",)
    assert not allowed(own, *words, *where)


@pytest.mark.parametrize("words", [("patch", "deployments.apps"), ("get", "secrets/planera-secrets")], ids=" ".join)
def test_deployer_may(own: App, words: tuple[str, ...]) -> None:
    """The refusals above are not those of an account that may nothing."""
    assert allowed(own, *words, f"--namespace={own.namespace}")


def test_deployer_is_really_refused(own: App) -> None:
    """What it may not, it cannot: the requests themselves, not the question."""
    run(["kubectl", "-n", own.namespace, "create", "secret", "generic", "other", "--from-literal=a=planted"])
    for words in (
        ("-n", own.namespace, "get", "secret", "other", "-o", "yaml"),
        ("-n", own.namespace, "get", "secrets"),
        ("-n", "kube-system", "get", "configmaps"),
        ("get", "namespaces"),
        ("-n", own.namespace, "create", "serviceaccount", "more"),
    ):
        command = ["kubectl", f"--kubeconfig={own.kubeconfig}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0, words
        assert "orbidden" in done.stderr, done.stderr
        assert "planted" not in done.stdout


def test_access_prints_a_kubeconfig_that_ends(own: App, tmp_path: Path) -> None:
    """What an administrator gets from the verb works as the deployer, and says until when."""
    outcome = own.call("access", "--env=production", "--hours=2", flags=(f"--kubeconfig=file://{admin()}",))
    assert outcome.code == 0, outcome.err[-2000:]
    head, _, text = outcome.out.partition("\n")
    assert head.startswith(f"# deployer of {own.production}, until 20")
    token = token_of(connect(text).api)
    end = end_of(token)
    assert end is not None
    assert 0 < end - time.time() <= 2 * 3600 + 5
    assert token not in outcome.err
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    done = run(["kubectl", f"--kubeconfig={file}", "auth", "whoami", "-o", "yaml"])
    user = yaml.safe_load(done)["status"]["userInfo"]["username"]
    assert user == f"system:serviceaccount:{own.production}:deployer"


def test_access_can_be_given_by_an_administrator_only(own: App) -> None:
    """Who may deploy may not give access, and is told which right is missing."""
    outcome = own.call("access", "--env=staging")
    assert outcome.code != 0
    assert "cannot patch resource" in outcome.message


def test_missing_namespace_names_the_verb_that_makes_it(own: App) -> None:
    """An environment that no administrator has prepared is told as such."""
    own.edit("k8s/staging/kustomization.yaml", own.namespace, f"{own.namespace}-none")
    try:
        outcome = own.deploy(flags=(f"--kubeconfig=file://{admin()}",))
    finally:
        own.edit("k8s/staging/kustomization.yaml", f"{own.namespace}-none", own.namespace)
    assert outcome.code != 0
    assert f"use namespace {own.namespace}-none: it does not exist" in outcome.message
    assert "dagger call access" in outcome.message


def test_ended_token_is_told_with_its_end(own: App, tmp_path: Path) -> None:
    """A pipeline whose token is over says so, and until when it was."""
    file = tmp_path / "short.kubeconfig"
    admit(own.manifests / "access/staging", file)
    text = file.read_text()
    token = token_of(connect(text).api)
    run(["kubectl", "-n", own.namespace, "delete", "serviceaccount", "deployer"])  # ends its tokens at once
    try:
        outcome = own.call("status", "--env=staging", flags=(f"--kubeconfig=file://{file}",))
    finally:
        admit(own.manifests / "access/staging", own.kubeconfig)
    assert outcome.code != 0
    assert "refused the credentials: the kubeconfig's token ends at 20" in outcome.message
    assert token not in outcome.message


def test_workload_that_weakens_pod_security_is_refused_before_anything_is_built(own: App) -> None:
    """The namespace would not admit its pods: that is known from the dry run, and told with the control."""
    own.edit("k8s/base/backend.yaml", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    try:
        outcome = own.deploy()
    finally:
        own.edit("k8s/base/backend.yaml", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation: false")
    assert outcome.code != 0
    assert "deployment/backend" in outcome.message
    assert "the namespace enforces Pod Security restricted" in outcome.message
    assert "allowPrivilegeEscalation != false" in outcome.message
    assert not [name for name in own.touched() if name.startswith("Deployment")]


def admin() -> str:
    """Return the administrator's kubeconfig."""
    return os.environ["KUBECONFIG"]
