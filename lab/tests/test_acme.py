"""An Ingress gets a certificate of its own: cert-manager asks, Pebble validates through Traefik, Traefik serves it."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from lab_command import call

from planera_lab.parts import exclusive
from planera_lab.settings import Lab

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("running_lab")]
LAB = Lab.from_environment()
SECONDS = 120
Seen = TypeVar("Seen")


@pytest.fixture(scope="module", autouse=True)
def _started() -> Iterator[None]:
    """Have it run, and leave the lab without it, as after `up`; tests/e2e/test_certificate.py takes its turn."""
    with exclusive(LAB.home / "acme-tests.lock", "the authority"):
        done = call("acme", "start")
        assert done.returncode == 0, done.stderr
        yield
        done = call("acme", "stop")
        assert done.returncode == 0, done.stderr


@pytest.fixture
def namespace() -> Iterator[str]:
    """Make a namespace that takes restricted pods only, as an application's does."""
    name = f"lab-acme-{time.time_ns()}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def kubectl(*words: str) -> str:
    done = call("run", "--", "kubectl", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def expose(namespace: str, issuer: str, *hosts: str) -> None:
    """Apply an Ingress as an application's manifests have one; nothing needs to stand behind it."""
    backend = {"service": {"name": "none", "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "annotations": {"cert-manager.io/cluster-issuer": issuer}},
        "spec": {
            "ingressClassName": "traefik",
            "tls": [{"secretName": "web-tls", "hosts": list(hosts)}],
            "rules": [{"host": host, **rule} for host in hosts],
        },
    }
    done = call("run", "--", "sh", "-c", f"echo '{json.dumps(ingress)}' | kubectl --namespace={namespace} apply -f -")
    assert done.returncode == 0, done.stderr


def served(host: str) -> tuple[str, set[str]]:
    """Return the issuer and the names of the certificate that is served, which the lab's authority stands behind."""
    context = ssl.create_default_context(cafile=str(LAB.ca))
    with (
        socket.create_connection(("127.0.0.1", LAB.ports.https), 5) as raw,
        context.wrap_socket(raw, server_hostname=host) as tls,
    ):
        found: dict[str, Any] = dict(tls.getpeercert() or {})
    issuer = [value for part in found["issuer"] for _, value in part]
    return issuer[-1], {value for kind, value in found["subjectAltName"] if kind == "DNS"}


def await_issued(*hosts: str) -> None:
    """Wait until every host is served with a certificate that Pebble issued for exactly these."""

    def issued(found: list[tuple[str, set[str]]]) -> bool:
        return all(issuer.startswith("Pebble Intermediate CA") and names == set(hosts) for issuer, names in found)

    await_sight(lambda: [served(host) for host in hosts], issued)


def await_alone(namespace: str, name: str) -> None:
    """Wait until nothing else is there: cert-manager removes what validated a host after the certificate is served."""

    def there() -> list[str]:
        left = json.loads(kubectl("--namespace", namespace, "get", "pods,services,ingresses", "--output=json"))["items"]
        return [item["metadata"]["name"] for item in left if not item["metadata"].get("deletionTimestamp")]

    await_sight(there, lambda names: names == [name])


def await_sight(look: Callable[[], Seen], wanted: Callable[[Seen], bool]) -> None:
    """Look until what is seen is what is wanted."""
    deadline = time.monotonic() + SECONDS
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)


def test_an_ingress_host_gets_a_certificate_by_acme(namespace: str) -> None:
    """Until then it is served with the lab's own certificate; afterwards no trace of the validation is left."""
    one, two = (f"{namespace}-{name}.planera.app" for name in ("page", "api"))
    assert served(one) == ("planera lab", {"planera.app", "*.planera.app"})
    expose(namespace, "letsencrypt-production", one, two)
    await_issued(one, two)
    await_alone(namespace, "web")


def test_a_pebble_that_forgot_every_account_issues_again(namespace: str) -> None:
    """It keeps all in memory: cert-manager's issuers register once more."""
    assert call("fault", "restart", "pebble").returncode == 0
    host = f"{namespace}.planera.app"
    expose(namespace, "letsencrypt-staging", host)
    await_issued(host)


def test_status_shows_it_and_starting_it_twice_is_starting_it_once() -> None:
    before = json.loads(call("status", "--json").stdout)["roles"]["acme"]
    assert before["answers"] is True
    assert "pebble" in before["processes"]
    assert call("acme", "start").returncode == 0
    assert json.loads(call("status", "--json").stdout)["roles"]["acme"]["pid"] == before["pid"]


def test_it_comes_back_with_the_cluster_and_lets_go_what_waits_when_it_is_stopped(namespace: str) -> None:
    """`up` finds cert-manager in the cluster; without it, a namespace with an order under way can be deleted."""
    process = json.loads(call("status", "--json").stdout)["roles"]["acme"]["pid"]
    os.kill(process, signal.SIGKILL)
    assert call("up").returncode == 0
    assert json.loads(call("status", "--json").stdout)["roles"]["acme"]["answers"] is True

    # nobody can ask this host: its challenge waits for ever
    expose(namespace, "letsencrypt-staging", f"{namespace}.nowhere.test")
    await_sight(lambda: kubectl("--namespace", namespace, "get", "challenges", "--output=name"), bool)
    assert call("acme", "stop").returncode == 0
    assert call("acme", "stop").returncode == 0, "safe to repeat"
    assert "acme" not in json.loads(call("status", "--json").stdout)["roles"]
    assert "start it with `lab/lab acme start`" in call("fault", "restart", "pebble").stderr
    assert call("up").returncode == 0
    assert "acme" not in json.loads(call("status", "--json").stdout)["roles"], "who stopped it wants it stopped"
    kubectl("delete", "namespace", namespace, "--timeout=60s")
    kubectl("create", "namespace", namespace)

    assert call("acme", "start").returncode == 0
    host = f"{namespace}.planera.app"
    expose(namespace, "letsencrypt-staging", host)
    await_issued(host)
