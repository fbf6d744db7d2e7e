"""How each Go part is built: from published modules, with the few patches that the registries make necessary.

A patched module is a copy that a `replace` points to; `go build -overlay` refuses files of the module cache.
Every go.sum starts as upstream's own, since two of Dagger's dependencies are not in the checksum database.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from planera_lab import gotrims
from planera_lab.golang import Go
from planera_lab.gosource import copy, replace_once, write_go_mod
from planera_lab.parts import Part
from planera_lab.pins import text_of_steps
from planera_lab.settings import INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from planera_lab.parts import Workshop
    from planera_lab.pins import Pins

DAGGER = "github.com/dagger/dagger"
KUBERNETES = "k8s.io/kubernetes"
TRAEFIK = "github.com/traefik/traefik/v3"
LEGO = "github.com/go-acme/lego/v5"
HTTP_AUTH = "github.com/abbot/go-http-auth"
ETCD = "go.etcd.io/etcd/server/v3"
LOCAL_PATH = "github.com/rancher/local-path-provisioner"
COREDNS = "github.com/coredns/coredns"
HELM = "helm.sh/helm/v4"
KUBECONFORM = "github.com/yannh/kubeconform"
KUBE_SCORE = "github.com/zegl/kube-score"
ACTIONLINT = "github.com/rhysd/actionlint"
BUILDKIT = "github.com/moby/buildkit"
PEBBLE = "github.com/letsencrypt/pebble/v2"
CERT_MANAGER = "github.com/cert-manager/cert-manager"
NAMES = (
    *("dagger", "pebble", "kubernetes", "ingress", "cert-manager"),
    *("helm", "kubeconform", "kube-score", "actionlint", "buildkit"),
)
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

# Output file (or "" for one file for each package) and the packages to build.
Targets = dict[str, list[str]]

PYTHON_LOADER = (
    "return l.loadBuiltinSDK(ctx, root, sdk, digest.Digest(os.Getenv(distconsts.PythonSDKManifestDigestEnvName)))"
)
PYTHON_NATIVE = "return &pythonNative{root: root, rawConfig: sdk.Config}, nil"


def dagger(pins: Pins) -> Part:
    """Dagger's engine and CLI, with Python modules run natively and headless terminal output."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        copy(INPUTS / "go" / "dagger", folder)
        source = folder / "src"
        copy(go.source_of(DAGGER, pins.modules[DAGGER], shop.work), source)
        copy(source / "go.sum", folder / "go.sum")
        stand_in = (folder / "dang" / "sdk.go").read_text()
        for version in ("v1", "v2"):
            sdk = source / "core" / "sdk" / "dang" / version
            (sdk / "helpers.go").unlink()
            (sdk / "sdk.go").write_text(re.sub(r"^package .*", f"package dang{version}", stand_in, flags=re.MULTILINE))
        shutil.rmtree(folder / "dang")
        (folder / "python_sdk.go").rename(source / "core" / "sdk" / "python_native.go")
        replace_once(source / "core" / "sdk" / "loader.go", PYTHON_LOADER, PYTHON_NATIVE)
        gotrims.dagger(source, folder)
        return {"": [f"{DAGGER}/cmd/{name}" for name in ("dagger", "engine", "init", "dnsname", "dialstdio")]}

    version = pins.modules[DAGGER]
    stamps = (f"{DAGGER}/engine.Version={version}", f"{DAGGER}/engine.Tag={version}")
    return _part("dagger", pins, [DAGGER], prepare, stamps, ("-tags", "dfexcludepatterns,dfparents"), gotrims.dagger)


def kubernetes(pins: Pins) -> Part:
    """Build the programs of a cluster: those of Kubernetes, etcd and the storage provisioner.

    They are one module, since most of their code is the same libraries, compiled once where the versions agree.
    """
    version = pins.modules[KUBERNETES]
    staging = "v0" + version.removeprefix("v1")

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        upstream = go.source_of(KUBERNETES, version, shop.work)
        names = re.findall(r"^\s+(k8s\.io/[a-z-]+) => \./staging", (upstream / "go.mod").read_text(), re.MULTILINE)
        required = {module: pins.modules[module] for module in (KUBERNETES, ETCD, LOCAL_PATH)}
        write_go_mod(folder, required, {name: f"{name} {staging}" for name in names})
        return {
            "": [f"{KUBERNETES}/cmd/{name}" for name in KUBERNETES_PROGRAMS],
            "etcd": [ETCD],
            "local-path-provisioner": [LOCAL_PATH],
        }

    _, minor, _ = version.split(".")
    base = "k8s.io/component-base/version"
    stamps = (f"{base}.gitVersion={version}", f"{base}.gitMajor=1", f"{base}.gitMinor={minor}")
    return _part("kubernetes", pins, [KUBERNETES, ETCD, LOCAL_PATH], prepare, stamps)


def ingress(pins: Pins) -> Part:
    """Build the names of a cluster, CoreDNS with its plugins, and the way into it, Traefik for Ingresses.

    They are one module, since half of their code is the same client of Kubernetes, which is compiled once this way.
    Two libraries are copies: Traefik replaces them as well.
    """

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        copy(INPUTS / "go" / "ingress", folder)
        source = folder / "src"
        copy(go.source_of(TRAEFIK, pins.modules[TRAEFIK], shop.work), source)
        gotrims.traefik(source, folder)
        sums = [file / "go.sum" for file in (source, go.source_of(COREDNS, pins.modules[COREDNS], shop.work))]
        (folder / "go.sum").write_text("".join(file.read_text() for file in sums))
        # lego without its DNS providers
        copy(go.source_of(LEGO, pins.modules[LEGO], shop.work), folder / "lego")
        shutil.rmtree(folder / "lego" / "providers" / "dns")
        (folder / "lego-dns").rename(folder / "lego" / "providers" / "dns")
        # go-http-auth with the two functions of Traefik's fork
        extra = (folder / "httpauth" / "extra.go").read_bytes()
        copy(go.source_of(HTTP_AUTH, pins.modules[HTTP_AUTH], shop.work), folder / "httpauth")
        (folder / "httpauth" / "extra.go").write_bytes(extra)
        if not (folder / "httpauth" / "go.mod").exists():
            (folder / "httpauth" / "go.mod").write_text(f"module {HTTP_AUTH}\n\ngo 1.20\n")
        return {"": ["./coredns", f"{TRAEFIK}/cmd/traefik"]}

    return _part("ingress", pins, [TRAEFIK, LEGO, HTTP_AUTH, COREDNS], prepare, trim=gotrims.traefik)


def pebble(pins: Pins) -> Part:
    """Pebble, Let's Encrypt's small authority for tests, with the lab's authority as its root."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        copy(INPUTS / "go" / "pebble", folder)
        source = folder / "src"
        copy(go.source_of(PEBBLE, pins.modules[PEBBLE], shop.work), source)
        copy(source / "go.sum", folder / "go.sum")
        replace_once(source / "ca" / "ca.go", "CAImpl) newRootIssuer(", "CAImpl) generatedRootIssuer(")
        (folder / "root.go").rename(source / "ca" / "root.go")
        return {"pebble": [f"{PEBBLE}/cmd/pebble"]}

    return _part("pebble", pins, [PEBBLE], prepare, (f"main.version={pins.modules[PEBBLE]}",))


def cert_manager(pins: Pins) -> Part:
    """cert-manager's controllers for ACME with a main of the lab's own, its solver, and its definitions.

    Without the DNS-01 providers, and without the API server's libraries, of which it wants one sentence.
    """

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        copy(INPUTS / "go" / "cert-manager", folder)
        source = folder / "src"
        copy(go.source_of(CERT_MANAGER, pins.modules[CERT_MANAGER], shop.work), source)
        copy(source / "go.sum", folder / "go.sum")
        dns = source / "pkg" / "issuer" / "acme" / "dns"
        for file in dns.glob("*.go"):
            file.unlink()
        (folder / "dns" / "dns.go").rename(dns / "dns.go")
        controllers = source / "pkg" / "controller"
        registry = "k8s.io/apiserver/pkg/registry/generic/registry"
        replace_once(controllers / "controller.go", f'\tgenericregistry "{registry}"\n', "")
        conflict = '"the object has been modified; please apply your changes to the latest version and try again"'
        replace_once(controllers / "controller.go", "genericregistry.OptimisticLockErrorMsg", conflict)
        # the errors of four SDKs, which it recognises to shorten them
        sync = controllers / "acmechallenges" / "sync.go"
        text = re.sub(r'^\t.*"github.com/(Azure|aws|digitalocean)/.*\n', "", sync.read_text(), flags=re.MULTILINE)
        sync.write_text(re.sub(r"\*(awshttp|azidentity|azcore|godo)\.\w+", "*dns.SDKError", text))
        acme = f'\t"{CERT_MANAGER}/pkg/acme"\n'
        replace_once(sync, acme, f'{acme}\t"{CERT_MANAGER}/pkg/issuer/acme/dns"\n')
        copy(source / "deploy" / "crds", shop.result / "crds")
        (shop.result / "crds" / "README.md").unlink()
        return {"cert-manager": ["./controller"], "acmesolver": ["./acmesolver"]}

    return _part("cert-manager", pins, [CERT_MANAGER], prepare)


def helm(pins: Pins) -> Part:
    """Helm, to compare with: the lab itself does not use it."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        version = pins.modules[HELM]
        write_go_mod(folder, {HELM: version}, {})
        copy(go.source_of(HELM, version, shop.work) / "go.sum", folder / "go.sum")
        return {"helm": [f"{HELM}/cmd/helm"]}

    return _part("helm", pins, [HELM], prepare, (f"{HELM}/internal/version.version={pins.modules[HELM]}",))


def kubeconform(pins: Pins) -> Part:
    """Kubeconform, which holds manifests against schemas, and beside it what those of this Kubernetes are made from."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        version = pins.modules[KUBECONFORM]
        write_go_mod(folder, {KUBECONFORM: version}, {})
        copy(go.source_of(KUBECONFORM, version, shop.work) / "go.sum", folder / "go.sum")
        upstream = go.source_of(KUBERNETES, pins.modules[KUBERNETES], shop.work)
        copy(upstream / "api" / "openapi-spec" / "swagger.json", shop.result / "swagger.json")
        return {"kubeconform": [f"{KUBECONFORM}/cmd/kubeconform"]}

    return _part("kubeconform", pins, [KUBECONFORM, KUBERNETES], prepare)


def kube_score(pins: Pins) -> Part:
    """kube-score, which says what manifests leave out."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        version = pins.modules[KUBE_SCORE]
        write_go_mod(folder, {KUBE_SCORE: version}, {})
        copy(go.source_of(KUBE_SCORE, version, shop.work) / "go.sum", folder / "go.sum")
        return {"kube-score": [f"{KUBE_SCORE}/cmd/kube-score"]}

    return _part("kube-score", pins, [KUBE_SCORE], prepare)


def actionlint(pins: Pins) -> Part:
    """Actionlint, which reads the workflows of GitHub Actions."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        version = pins.modules[ACTIONLINT]
        write_go_mod(folder, {ACTIONLINT: version}, {})
        copy(go.source_of(ACTIONLINT, version, shop.work) / "go.sum", folder / "go.sum")
        return {"actionlint": [f"{ACTIONLINT}/cmd/actionlint"]}

    return _part("actionlint", pins, [ACTIONLINT], prepare, (f"{ACTIONLINT}.version={pins.modules[ACTIONLINT]}",))


def buildkit(pins: Pins) -> Part:
    """BuildKit's daemon and its client, which build and push from a shell: no part of Dagger's engine."""

    def prepare(go: Go, shop: Workshop, folder: Path) -> Targets:
        version = pins.modules[BUILDKIT]
        write_go_mod(folder, {BUILDKIT: version}, {})
        copy(go.source_of(BUILDKIT, version, shop.work) / "go.sum", folder / "go.sum")
        return {"": [f"{BUILDKIT}/cmd/buildkitd", f"{BUILDKIT}/cmd/buildctl"]}

    stamps = (f"{BUILDKIT}/version.Version={pins.modules[BUILDKIT]}",)
    return _part("buildkit", pins, [BUILDKIT], prepare, stamps)


# Programs that no normal `up` builds: `lab/lab tool NAME` does.
TOOLS: Mapping[str, Callable[[Pins], Part]] = {
    "helm": helm,
    "kubeconform": kubeconform,
    "kube-score": kube_score,
    "actionlint": actionlint,
    "buildctl": buildkit,
}
# What `lab/lab tool` knows. kubectl is a part of every lab, and renders manifests without one that runs; what
# `lab/lab acme start` builds can be built ahead.
PROGRAMS: Mapping[str, Callable[[Pins], Part]] = {
    **TOOLS,
    "kubectl": kubernetes,
    "pebble": pebble,
    "cert-manager": cert_manager,
}


def _part(
    name: str,
    pins: Pins,
    modules: Sequence[str],
    prepare: Callable[[Go, Workshop, Path], Targets],
    stamps: Sequence[str] = (),
    flags: Sequence[str] = (),
    trim: Callable[[Path, Path], None] | None = None,
) -> Part:
    def build(shop: Workshop) -> None:
        go = Go(shop.lab, pins, shop.store)
        folder = shop.work / "module"
        folder.mkdir()
        link = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in stamps)])
        for target, packages in prepare(go, shop, folder).items():
            go.build([*flags, "-ldflags", link, "-o", f"{shop.result}/{target}", *packages], shop.log, folder)

    inputs = INPUTS / "go" / name
    chosen = {module: pins.modules[module] for module in modules}
    trimmed = [text_of_steps(trim)] if trim else []
    chosen["build"] = " ".join([text_of_steps(prepare), *trimmed, *stamps, *flags])
    return Part(name, chosen, (inputs,) if inputs.is_dir() else (), build)
