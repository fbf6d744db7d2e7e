"""What the lab writes: environments, configurations, images, addresses."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from planera_lab import addons, layers, network, node, oci, pki, push, shellenv, urls
from planera_lab.parts import Store
from planera_lab.pins import Pins
from planera_lab.settings import INPUTS, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab.from_environment({"LAB_HOME": str(tmp_path / "home")})
    return Lab(lab.home, lab.cache, lab.ports, tmp_path)


def test_exports_survive_a_shell() -> None:
    values = {"PLAIN": "x", "HARD": "a 'b' \"c\" $HOME\n;"}
    script = shellenv.exports(values) + 'printf %s "$HARD"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == values["HARD"]


def test_variables_name_the_engine_and_the_cluster(lab: Lab) -> None:
    values = shellenv.variables(lab, Pins.load(), Store(lab), "/usr/bin")
    assert values["_EXPERIMENTAL_DAGGER_RUNNER_HOST"] == f"unix://{lab.engine_socket}"
    assert values["KUBECONFIG"] == str(lab.kubeconfig)
    assert values["PATH"].endswith(":/usr/bin")
    assert all(shlex.quote(name) == name for name in values)


def test_dotenv_is_written_and_removed(lab: Lab) -> None:
    shellenv.write_dotenv(lab)
    file = lab.repository / ".env"
    assert f"PLANERA_CI_KUBECONFIG=file://{lab.kubeconfig}\n" in file.read_text()
    assert "PLANERA_CI_CLUSTER=tcp://127.0.0.1:6443\n" in file.read_text()
    shellenv.remove_dotenv(lab)
    assert not file.exists()


@pytest.mark.parametrize("of_another_lab", [False, True])
def test_a_dotenv_that_is_not_the_labs_own_is_kept(
    lab: Lab, capsys: pytest.CaptureFixture[str], *, of_another_lab: bool
) -> None:
    file = lab.repository / ".env"
    other = Lab(lab.home / "other", lab.cache, lab.ports, lab.repository)
    text = shellenv.dotenv(other) if of_another_lab else "PLANERA_CI_USER=ada\n"
    file.write_text(text)
    shellenv.write_dotenv(lab)
    shellenv.remove_dotenv(lab)
    assert file.read_text() == text
    assert "it is not of this lab" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "systemd", "expected"),
    [
        ("nameserver 192.0.2.1\nnameserver 192.0.2.2\n", None, (["192.0.2.1", "192.0.2.2"], False)),
        ("nameserver 127.0.0.53\n", "nameserver 192.0.2.1\n", (["192.0.2.1"], False)),
        ("nameserver 127.0.0.1\n", None, ([], True)),
        ("nameserver 127.0.0.1\nnameserver 192.0.2.1\n", None, (["192.0.2.1"], False)),
        ("nameserver fd00::1\nnameserver 192.0.2.1\n", None, (["192.0.2.1"], False)),
        ("search example.org\n# nameserver 192.0.2.9\n", None, ([], True)),
    ],
)
def test_name_servers_that_can_be_asked_from_inside(
    host: str, systemd: str | None, expected: tuple[list[str], bool]
) -> None:
    assert network.upstream(host, systemd) == expected


def test_addons_name_pinned_images_only() -> None:
    pins = Pins.load()
    for file in (*(INPUTS / "addons" / name for name in addons.MANIFESTS), INPUTS / "acme" / "cert-manager.yaml"):
        text = addons.render(file.read_text(), {**pins.images, "lab-ca": "Y2E="})
        images = [line.split('"')[1] for line in text.splitlines() if "image: " in line]
        assert images
        assert set(images) <= set(pins.images.values())
        assert "${" not in text


def test_the_helper_of_the_storage_keeps_its_variable() -> None:
    text = addons.render((INPUTS / "addons" / "local-path.yaml").read_text(), Pins.load().images)
    assert 'mkdir -m 0777 -p "$VOL_DIR"' in text


def test_a_kubeconfig_has_everything_in_it(tmp_path: Path) -> None:
    node.certificates(tmp_path)
    config = json.loads(node.kubeconfig(tmp_path, "admin", 7443))
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:7443"
    assert set(config["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}


def test_certificates_are_made_once_and_private(tmp_path: Path) -> None:
    node.certificates(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    node.certificates(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("*.key"))


def test_a_certificate_follows_its_names(tmp_path: Path) -> None:
    pki.authority(tmp_path, "ca", "test")
    pki.issue(tmp_path, "ca", "web", "/CN=web", ["one.test"])
    first = (tmp_path / "web.crt").read_bytes()
    pki.issue(tmp_path, "ca", "web", "/CN=web", ["one.test", "192.0.2.1"])
    assert (tmp_path / "web.crt").read_bytes() != first


def test_a_password_is_kept_and_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "password"
    assert pki.password(file) == pki.password(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_same_folder_gives_the_same_image(tmp_path: Path) -> None:
    manifests = []
    for name in ("one", "two"):
        root = tmp_path / name
        (root / "bin").mkdir(parents=True)
        (root / "bin" / "program").write_text("code")
        oci.pack(root, oci.Runtime(entrypoint=("/bin/program",)), tmp_path / f"{name}-image", tmp_path / "log")
        manifests.append((tmp_path / f"{name}-image" / "manifest.json").read_text())
    assert manifests[0] == manifests[1]
    blobs = {path.name for path in (tmp_path / "one-image" / "blobs").iterdir()}
    parsed = json.loads(manifests[0])
    assert blobs == {parsed["config"]["digest"], parsed["layers"][0]["digest"]}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("docker.io/library/python:3.13-slim", ("library/python", "3.13-slim")),
        ("registry.k8s.io/pause:3.10", ("pause", "3.10")),
    ],
)
def test_a_reference_has_a_path_and_a_tag(reference: str, expected: tuple[str, str]) -> None:
    assert push.path_and_tag(reference) == expected


def test_a_layer_changes_its_name_with_its_content(lab: Lab) -> None:
    first = layers.layer(lab, "engine", {"/etc/x": "1"})
    assert (first / "etc" / "x").read_text() == "1"
    assert layers.layer(lab, "engine", {"/etc/x": "1"}) == first
    assert layers.layer(lab, "engine", {"/etc/x": "2"}) != first


def test_urls_are_those_of_the_ingresses() -> None:
    rule = {"host": "b.planera.app"}
    items = [{"spec": {"rules": [rule, {}]}}, {"spec": {"rules": [{"host": "a.planera.app"}]}}, {"spec": {}}]
    assert urls.hosts(json.dumps({"items": items})) == ["a.planera.app", "b.planera.app"]
