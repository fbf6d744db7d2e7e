"""A kubeconfig for the deployer, made from an administrator's."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from planera_ci.cluster.client import connect
from planera_ci.cluster.connection import token_of
from planera_ci.domain.kubeconfig import end_of, for_account
from planera_ci.errors import ConfigError

ADMIN = """
apiVersion: v1
kind: Config
current-context: here
contexts:
  - {name: there, context: {cluster: other, user: admin}}
  - {name: here, context: {cluster: lab, user: admin}}
clusters:
  - {name: other, cluster: {server: "https://other.test"}}
  - {name: lab, cluster: {server: "https://lab.test:6443", certificate-authority-data: bGFi, tls-server-name: lab}}
users:
  - {name: admin, user: {client-certificate-data: c2VjcmV0, client-key-data: c2VjcmV0}}
"""


def token(**claims: object) -> str:
    """Return a token with these claims and no true signature."""
    parts = ({"alg": "none"}, claims)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts), "sig"])


def test_kubeconfig_holds_the_cluster_and_the_token_and_nothing_of_the_administrator() -> None:
    """What is handed to a pipeline opens one cluster as one account."""
    text = for_account(ADMIN, "deployer", "planera-staging", "abc")
    made = yaml.safe_load(text)
    assert made["clusters"] == [{"name": "cluster", "cluster": yaml.safe_load(ADMIN)["clusters"][1]["cluster"]}]
    assert made["users"] == [{"name": "deployer@planera-staging", "user": {"token": "abc"}}]
    assert made["contexts"][0]["context"]["namespace"] == "planera-staging"
    assert "c2VjcmV0" not in text


def test_kubeconfig_can_be_used() -> None:
    """The client reads it, with the server, its name and the token."""
    api = connect(for_account(ADMIN.replace(", certificate-authority-data: bGFi", ""), "deployer", "ns", "abc")).api
    assert (api.configuration.host, token_of(api)) == ("https://lab.test:6443", "abc")


def test_authority_in_a_file_of_the_administrator_is_refused() -> None:
    """The file is on another machine than the one that will read the kubeconfig."""
    with pytest.raises(ConfigError, match="--flatten"):
        for_account(ADMIN.replace("certificate-authority-data: bGFi", "certificate-authority: ca.crt"), "a", "b", "c")


def test_token_says_when_it_ends() -> None:
    """A service account's token is a JWT with its end in it; another token says nothing."""
    assert end_of(token(exp=1764000000)) == 1764000000.0
    assert [end_of(text) for text in ("", "abc", "a.b.c", token(sub="x"), token(exp=None))] == [None] * 5
