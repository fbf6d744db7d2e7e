"""Tests deploy the example as it is, but for a share, a pause and a probe."""

from __future__ import annotations

import pytest
import yaml
from tests.e2e.thrift import SHARE, USUAL, Thrift
from tests.texts import ROOT

BASE = ROOT / "k8s/base"


def _container(name: str, text: str) -> dict[str, object]:
    (workload,) = (obj for obj in yaml.safe_load_all(text) if obj["kind"] in {"Deployment", "StatefulSet"})
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert container["name"] == name
    found: dict[str, object] = container
    return found


def test_pods_end_after_the_pause_that_is_given() -> None:
    """What the manifests wait for the slowest page is cut; a change of theirs would leave tests with the long one."""
    for name in ("backend", "frontend"):
        text = (BASE / f"{name}.yaml").read_text()
        container = _container(name, Thrift(pause=4)(text))
        assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 4}}}
        assert container["resources"]["requests"]["cpu"] == SHARE  # type: ignore[index]


@pytest.mark.parametrize("thrift", [USUAL, Thrift(looks=2)], ids=["usual", "often"])
def test_database_is_asked_often_until_it_is_ready_and_as_said_afterwards(thrift: Thrift) -> None:
    """The question is the manifest's own."""
    text = (BASE / "postgres.yaml").read_text()
    before, after = (_container("postgres", each) for each in (text, thrift(text)))
    assert after["startupProbe"]["periodSeconds"] == 1  # type: ignore[index]
    assert after["readinessProbe"]["periodSeconds"] == thrift.looks  # type: ignore[index]
    for probe in ("startupProbe", "readinessProbe"):
        assert after[probe]["exec"] == before["readinessProbe"]["exec"]  # type: ignore[index]
