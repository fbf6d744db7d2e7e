"""What a refused request or an unusable kubeconfig is told as; no request is made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from planera_ci.cluster.client import connect
from planera_ci.cluster.connection import refusal, refuse_weak_pods
from planera_ci.errors import ConfigError, Rejected

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: ci}}]
clusters: [{name: lab, cluster: {server: "https://cluster.test:6443"}}]
users: [{name: ci, user: {token: abc}}]
"""


@pytest.mark.cases("refusal")
def test_refusal_is_told_as_what_can_be_done(case: Any) -> None:
    """The API server's answer becomes the kind of error that has the right remedy."""
    error = ApiException(status=case["status"])
    error.body = case["body"] if "body" in case else json.dumps({"kind": "Status", "message": case["message"]})
    told = refusal(error, "apply deployment/backend", "https://cluster:6443", case.get("token", ""))
    assert type(told).__name__ == case["error"]
    assert case["says"] in str(told)


def test_kubeconfig_names_the_server() -> None:
    """A kubeconfig with a token is enough."""
    cluster = connect(KUBECONFIG)
    assert cluster.server == "https://cluster.test:6443"
    assert cluster.api.configuration.host == "https://cluster.test:6443"


def test_tunnel_keeps_the_name_that_the_certificate_is_checked_against() -> None:
    """Through a tunnel the address is another one, the certificate's name is not."""
    cluster = connect(KUBECONFIG, "10.87.0.3:6443")
    assert cluster.api.configuration.host == "https://10.87.0.3:6443"
    assert cluster.api.configuration.tls_server_name == "cluster.test"
    assert cluster.server == "https://cluster.test:6443 through --cluster", "errors name what the user knows"
    assert cluster.api.configuration.refresh_api_key_hook is None, "it would bring the kubeconfig's server back"


@pytest.mark.parametrize(
    "text",
    ["", "just text", "[]", "a: [", "apiVersion: v1\nkind: Config\n", KUBECONFIG.replace("current-context: lab", "")],
    ids=["empty", "text", "list", "no-yaml", "no-context", "no-current-context"],
)
def test_kubeconfig_that_cannot_be_used_is_refused_in_a_sentence(text: str) -> None:
    """What is no kubeconfig says so, and how to get one."""
    with pytest.raises(ConfigError, match=r"^read the kubeconfig: .*kubectl config view --raw"):
        connect(text)


def test_kubeconfig_that_runs_a_program_is_refused() -> None:
    """A program that makes tokens on a laptop is not in the pipeline's container."""
    text = KUBECONFIG.replace("{token: abc}", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}")
    with pytest.raises(ConfigError, match='user "ci" gets its token from a program'):
        connect(text)


def test_workload_whose_pods_the_namespace_will_not_admit_is_refused() -> None:
    """Of a workload the server only warns, where the warning's level is the one that is enforced."""
    warning = (
        '299 - "would violate PodSecurity \\"restricted:latest\\": runAsNonRoot != true '
        '(pod or container \\"backend\\" must set securityContext.runAsNonRoot=true)"'
    )
    other = '299 - "unknown field"'
    refuse_weak_pods([other, warning], "baseline", "apply deployment/backend")
    with pytest.raises(Rejected, match=r"enforces Pod Security restricted.*: runAsNonRoot != true \(pod or container"):
        refuse_weak_pods([other, warning], "restricted", "apply deployment/backend")
