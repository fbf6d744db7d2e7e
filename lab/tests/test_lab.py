"""The lab that is up does what its commands say."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest
from lab_command import call

from planera_lab import services
from planera_lab.settings import REGISTRY_USER, Lab

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("running_lab")]
BUSYBOX = "docker.io/library/busybox:1.37"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return call("run", "--", *command)


def test_doctor_finds_every_need_met() -> None:
    done = call("doctor")
    assert done.returncode == 0, done.stdout
    assert "needs are met" in done.stdout


def test_up_a_second_time_finds_everything_there() -> None:
    start = time.monotonic()
    done = call("up")
    assert done.returncode == 0, done.stderr
    assert "build" not in done.stderr
    assert time.monotonic() - start < 5


def test_status_as_json_tells_that_all_answer() -> None:
    status = json.loads(call("status", "--json").stdout)
    assert status["up"] is True
    assert {"etcd", "kubelet", "containerd"} <= set(status["roles"]["node"]["processes"])


def test_run_passes_the_exit_status_on() -> None:
    assert run("sh", "-c", "exit 7").returncode == 7
    assert "no such program" in run("no-such-program").stderr


def test_the_engine_answers_the_client() -> None:
    done = run("dagger", "core", "version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "v0.21.8"
    assert "\x1b[" not in done.stderr


def test_containers_of_the_engine_know_the_labs_names() -> None:
    script = "nslookup staging.planera.app | tail -n +3; nslookup ghcr.io | tail -n +3"
    words = ["container", "from", f"--address={BUSYBOX}", "with-exec", f"--args=sh,-c,{script}", "stdout"]
    done = run("dagger", "core", *words)
    assert "10.99.0.1" in done.stdout, done.stderr
    assert "10.99.0.2" in done.stdout


def test_the_node_is_ready_and_a_pod_gets_storage_and_names() -> None:
    name = f"lab-test-{time.time_ns()}"
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    script = "echo kept > /data/file && cat /data/file && nslookup kubernetes.default.svc.cluster.local"
    container = {
        "name": "main",
        "image": BUSYBOX,
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
        },
    }
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": [claim, pod]})
    try:
        created = run("sh", "-c", f"echo '{objects}' | kubectl create -f -")
        assert created.returncode == 0, created.stderr
        ended = run("kubectl", "wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
        logs = run("kubectl", "logs", name).stdout
        assert ended.returncode == 0, logs
        assert "kept" in logs
        assert "10.96.0.1" in logs
    finally:
        run("kubectl", "delete", f"pod/{name}", f"pvc/{name}", "--wait=false")


def test_the_way_in_has_a_certificate_that_the_labs_authority_signed() -> None:
    lab = Lab.from_environment()
    context = ssl.create_default_context(cafile=str(lab.ca))
    context.check_hostname = False
    request = urllib.request.Request(f"https://127.0.0.1:{lab.ports.https}/", headers={"Host": "none.planera.app"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, context=context, timeout=5)
    assert error.value.code == 404
    error.value.close()


@pytest.mark.parametrize(
    ("user", "password", "answer"),
    [(REGISTRY_USER, None, 200), (REGISTRY_USER, "wrong", 401), ("nobody", "wrong", 401), (None, "", 401)],
)
def test_the_registry_wants_its_password(user: str | None, password: str | None, answer: int) -> None:
    lab = Lab.from_environment()
    given = lab.registry_password.read_text() if password is None else password
    assert services.ghcr_answer(lab, user, given) == answer


def test_the_registry_refuses_a_push_without_a_password() -> None:
    lab = Lab.from_environment()
    context = ssl.create_default_context(cafile=str(lab.ca))
    url = f"https://127.0.0.1:{lab.ports.registry}/v2/planera/x/blobs/uploads/"
    token = b64encode(b"planera:wrong").decode()
    for headers in ({}, {"Authorization": f"Basic {token}"}):
        request = urllib.request.Request(url, method="POST", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, context=context, timeout=5)
        assert error.value.code == 401
        error.value.close()


def test_secrets_are_private() -> None:
    lab = Lab.from_environment()
    for file in (lab.registry_password, lab.kubeconfig, lab.secrets / "lab-ca.key"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_nothing_of_the_lab_is_on_the_hosts_network_or_mounts() -> None:
    devices = {path.name for path in Path("/sys/class/net").iterdir()}
    assert not devices & {"lab0", "dagger0", "kube0", "cni0"}
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    home = str(Lab.from_environment().home)
    assert [mount for mount in mounts if mount.startswith(home)] == [str(Lab.from_environment().netns)]
