"""How the rendered manifests say that each component is run, as plain values.

The smoke test runs the very containers from these, so that a missing key or a wrong port fails
before anything is published. What cannot be told from the manifests is refused here, not guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planera_ci.domain.images import component_of, is_logical
from planera_ci.domain.manifests import Key, Obj, of_kind, pod_spec, rotated_keys
from planera_ci.domain.probes import Probe, readiness_of, told_inside
from planera_ci.domain.variables import SecretKey, expanded, variables
from planera_ci.errors import ManifestError

SMOKE_ANNOTATION = "planera-ci/smoke"
"""On a workload: requests to try, a line each: METHOD PATH [JSON body] STATUS."""

NEEDS_ANNOTATION = "planera-ci/needs"
"""On a workload: names of other components that must run before it, separated by commas."""

_REQUEST = re.compile(r"(?P<method>[A-Z]+)\s+(?P<path>/\S*)(?:\s+(?P<body>.+?))?\s+(?P<status>[1-5]\d\d)")


@dataclass(frozen=True)
class Request:
    """One HTTP request and the status that it must answer with."""

    method: str
    path: str
    status: int
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Run:
    """How one workload's container is run."""

    name: str
    image: str
    kind: str
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, SecretKey], ...] = ()
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    readiness: Probe | None = None
    requests: tuple[Request, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def told_inside(self) -> Probe | None:
        """Return the command by which a component tells that it has started, where no port tells it."""
        return told_inside(self.readiness, self.ports)


@dataclass(frozen=True)
class SmokePlan:
    """What the smoke test runs: third-party services, then jobs, then components in order."""

    services: tuple[Run, ...] = field(default=())
    jobs: tuple[Run, ...] = field(default=())
    components: tuple[tuple[Run, ...], ...] = field(default=())


def smoke_plan(objs: Iterable[Obj], app: str, revision: str) -> SmokePlan:
    """Derive from rendered manifests what a smoke test runs, and in which order."""
    objs = tuple(objs)
    config = {obj["metadata"]["name"]: obj.get("data") or {} for obj in of_kind(objs, "ConfigMap")}
    services = of_kind(objs, "Service")
    backing: list[Run] = []
    jobs: list[Run] = []
    components: list[Run] = []
    for obj in of_kind(objs, "Deployment", "StatefulSet", "Job"):
        if rotated_keys(obj):
            continue  # what is fresh has the value that it was made with
        run = _run(obj, config, services, app, revision)
        if obj["kind"] == "Job":
            jobs.append(run)
        else:
            (components if is_logical(run.image) else backing).append(run)
    return SmokePlan(tuple(backing), tuple(jobs), _ordered(components, (run.name for run in (*backing, *jobs))))


def _ordered(runs: list[Run], before: Iterable[str]) -> tuple[tuple[Run, ...], ...]:
    """Group components so that each group needs only earlier ones, or what runs before them all."""
    groups: list[tuple[Run, ...]] = []
    done = set(before)
    names = done | {run.name for run in runs}
    rest = list(runs)
    while rest:
        ready = tuple(run for run in rest if done.issuperset(run.needs))
        if not ready:
            run = rest[0]
            unknown = sorted(set(run.needs) - names)
            why = f"there is no {unknown[0]}" if unknown else "they need each other in a circle"
            raise ManifestError(f"order {run.name}", f"annotation {NEEDS_ANNOTATION}: {why}", "correct it")
        groups.append(ready)
        done.update(run.name for run in ready)
        rest = [run for run in rest if run not in ready]
    return tuple(groups)


def _run(obj: Obj, config: Mapping[str, Mapping[str, str]], services: Iterable[Obj], app: str, revision: str) -> Run:
    spec = pod_spec(obj) or {}
    listed = spec.get("containers") or []
    chosen = next((c for c in listed if is_logical(c.get("image", ""))), None) or (listed[0] if listed else None)
    if chosen is None or not chosen.get("image"):
        raise ManifestError(f"read {Key.of(obj)}", "it has no container with an image", "add one")
    image = chosen["image"]
    if is_logical(image):
        component_of(image, app)
    act = f"read {Key.of(obj)}"
    env, secrets = variables(obj, chosen, config, revision)
    readiness = readiness_of(obj, chosen)
    asked = [readiness.port] if readiness and readiness.port else []
    declared = [port["containerPort"] for port in chosen.get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    notes = obj["metadata"].get("annotations") or {}
    wanted = requests(notes.get(SMOKE_ANNOTATION, ""), str(Key.of(obj)))
    if wanted and not declared and not asked:
        raise ManifestError(act, f"annotation {SMOKE_ANNOTATION} asks it, but it declares no port", "declare one")
    return Run(
        name=obj["metadata"]["name"],
        image=image,
        kind=obj["kind"],
        env=tuple(env.items()),
        secrets=tuple(secrets.items()),
        command=tuple(expanded(act, word, env, secrets) for word in chosen.get("command") or ()),
        args=tuple(expanded(act, word, env, secrets) for word in chosen.get("args") or ()),
        ports=tuple(dict.fromkeys([*declared, *asked])),
        aliases=_aliases(obj, chosen, services),
        scratch=_scratch(spec, chosen),
        readiness=readiness,
        requests=wanted,
        needs=tuple(n.strip() for n in notes.get(NEEDS_ANNOTATION, "").split(",") if n.strip()),
    )


def _aliases(obj: Obj, container: Obj, services: Iterable[Obj]) -> tuple[str, ...]:
    """Return the names of the Services that select this workload's pods."""
    template = ((obj.get("spec") or {}).get("template") or {}).get("metadata") or {}
    labels = template.get("labels") or {}
    names = []
    for service in services:
        selector = service["spec"].get("selector") or {}
        if selector and selector.items() <= labels.items():
            for port in service["spec"].get("ports") or ():
                _check_port(service, port, container)
            names.append(service["metadata"]["name"])
    return tuple(names)


def _check_port(service: Obj, port: Mapping[str, Any], container: Obj) -> None:
    target = port.get("targetPort", port["port"])
    declared = container.get("ports") or ()
    named = {p.get("name"): p["containerPort"] for p in declared}
    number = named.get(target) if isinstance(target, str) else target
    act = f"read {Key.of(service)}"
    if number is None or (declared and number not in [p["containerPort"] for p in declared]):
        raise ManifestError(act, f'no container declares its target port "{target}"', "correct one of them")
    if number != port["port"]:
        raise ManifestError(
            act,
            f"its port {port['port']} leads to port {number}, which the smoke test cannot imitate",
            "give both the same number",
        )


def _scratch(spec: Obj, container: Obj) -> tuple[str, ...]:
    empty = {volume["name"] for volume in spec.get("volumes") or () if "emptyDir" in volume}
    return tuple(m["mountPath"] for m in container.get("volumeMounts") or () if m["name"] in empty)


def requests(text: str, origin: str) -> tuple[Request, ...]:
    """Read the smoke annotation: METHOD PATH [JSON body] STATUS, a line each."""
    found = []
    for line in filter(None, (raw.strip() for raw in text.splitlines())):
        match = _REQUEST.fullmatch(line)
        if not match:
            raise ManifestError(
                f"read annotation {SMOKE_ANNOTATION} of {origin}",
                f'"{line}" is no request',
                "write METHOD PATH [JSON body] STATUS, as in GET /health 200",
            )
        body = match["body"] or ""
        if body:
            try:
                json.loads(body)
            except ValueError as error:
                raise ManifestError(
                    f"read annotation {SMOKE_ANNOTATION} of {origin}", f"{body} is not JSON", "correct it"
                ) from error
        found.append(Request(match["method"], match["path"], int(match["status"]), body))
    return tuple(found)


__all__ = ["Probe", "Request", "Run", "SecretKey", "SmokePlan", "requests", "smoke_plan"]
