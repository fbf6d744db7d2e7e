"""The programs that look at manifests, and what they say."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from planera_ci.domain import manifests as m
from planera_ci.pipeline.render import KUBECTL
from tests.manifests import schemas
from tests.programs import ROOT, program

ENVIRONMENTS = ("staging", "production")
EXAMPLES = ("examples/clock", "examples/words")
"""Applications that have their manifests with them, for staging alone."""
_DIGEST = "@sha256:" + "ab" * 32


@cache
def rendered(folder: str, application: str = ".") -> tuple[m.Obj, ...]:
    """Return a folder of an application's k8s/ as the pipeline applies it: rendered, every image pinned to a digest."""
    place = ROOT / application / "k8s" / folder
    done = subprocess.run([program("kubectl"), "kustomize", place], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    objs = m.parse(done.stdout, folder)
    return m.pinned(objs, {image: f"registry.invalid/{image}{_DIGEST}" for image in m.images(objs)}, {})


@dataclass(frozen=True)
class Judge:
    """Kubeconform with the schemas of one release."""

    folder: Path

    @classmethod
    def with_schemas(cls, folder: Path) -> Judge:
        """Write the schemas of the release that the lab runs."""
        assert schemas.write(program("kubeconform").with_name("swagger.json"), folder) > 100
        return cls(folder)

    def verdict(self, objs: tuple[m.Obj, ...]) -> dict[str, Any]:
        """Return what kubeconform finds, with how many objects it held against a schema."""
        location = f"{self.folder}/{schemas.LOCATION}"
        flags = ["-strict", "-summary", "-output=json", "-schema-location", location]
        done = _asked("kubeconform", *flags, "-", objs=objs)
        assert not done.stderr, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def findings(objs: tuple[m.Obj, ...], *flags: str) -> set[tuple[str, str]]:
    """Return what kube-score has against objects, warnings too, as objects with names of checks."""
    minor = KUBECTL.rpartition(":")[2].rpartition(".")[0]
    version = f"--kubernetes-version={minor}"
    done = _asked("kube-score", "score", version, "--output-format=json", *flags, "-", objs=objs)
    # 1 is its answer to critical findings.
    assert done.returncode in (0, 1), done.stderr
    found = set()
    for each in json.loads(done.stdout):
        name = f"{each['type_meta']['kind'].lower()}/{each['object_meta']['name']}"
        found |= {(name, check["check"]["id"]) for check in each["checks"] if _against(check)}
    return found


def _asked(name: str, *words: str, objs: tuple[m.Obj, ...]) -> subprocess.CompletedProcess[str]:
    """Run a program that reads objects from its standard input."""
    text = yaml.safe_dump_all(objs)
    return subprocess.run([program(name), *words], input=text, capture_output=True, text=True, check=False)


def _against(check: dict[str, Any]) -> bool:
    """Tell whether a check found something: it grades from 1 (critical) to 10 (nothing)."""
    return not check["skipped"] and check["grade"] < 10
