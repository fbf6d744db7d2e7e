"""What is left out of Go programs since a lab does not use it: libraries that take minutes to download and compile."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from planera_lab.gosource import cut, replace_once

if TYPE_CHECKING:
    from pathlib import Path


def dagger(source: Path, own: Path) -> None:
    """Leave out managers of secrets, and clients of language models: they bring in the SDKs of three clouds."""
    providers = source / "engine" / "client" / "secretprovider"
    for name in ("aws", "gcp", "libsecret", "op", "vault", "vault_oidc"):
        (providers / f"{name}.go").unlink()
    cut(providers / "secretprovider.go", r'^\t"(aws\+ps|aws\+sm|gcp|libsecret|op|vault)":[^\n]*\n', times=6)
    core = source / "core"
    for name in ("anthropic", "google", "openai"):
        (core / f"llm_{name}.go").unlink()
    (own / "llm_clients.go").rename(core / "llm_clients.go")
    cut(core / "llm.go", r'^\t"github.com/anthropics/anthropic-sdk-go"\n')
    replace_once(core / "llm.go", "anthropic.ModelClaudeSonnet4_5", '"claude-sonnet-4-5"')


def traefik(source: Path, own: Path) -> None:
    """Leave out providers of other platforms, plugins, what InfluxDB is told, and the question for newer versions."""
    package = source / "pkg"
    absent = (own / "absent" / "absent.go").read_text()
    kubernetes = [f"kubernetes/{name}" for name in ("crd", "gateway", "knative")]
    stores = [f"kv/{name}" for name in ("consul", "etcd", "redis", "zk")]
    for path in ("consulcatalog", "ecs", "nomad", *kubernetes, *stores):
        folder = package / "provider" / path
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "absent.go").write_text(absent.replace("absent", folder.name))
    gateway = r"^\t// Configure Gateway API provider\n\tif c\.Providers\.KubernetesGateway != nil \{\n.*?^\t\}\n"
    cut(package / "config" / "static" / "static_config.go", gateway)

    for name in ("middlewarewasm.go", "middlewareyaegi.go", "providers.go", "wasip.go", "wasip_mock.go"):
        (package / "plugins" / name).unlink()
    (own / "plugins" / "absent.go").rename(package / "plugins" / "absent.go")
    (package / "observability" / "logs" / "wasm.go").unlink()
    (own / "metrics" / "influxdb2.go").replace(package / "observability" / "metrics" / "influxdb2.go")
    for name in ("absent", "plugins", "metrics"):
        shutil.rmtree(own / name)

    version = package / "version" / "version.go"
    cut(version, r"(?<=^func CheckNewVersion\(\) \{\n).*?(?=^\})")
    cut(version, r'^\t("context"|"github.com/google/go-github/v90/github"|goversion "[^"]*")\n', times=3)
