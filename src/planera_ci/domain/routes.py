"""What must answer through the Ingress for a deployment to be called reachable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planera_ci.domain.manifests import Obj, of_kind
from planera_ci.domain.smoke import Run


@dataclass(frozen=True)
class Route:
    """One path of one host, a request to it and the statuses that count as an answer."""

    host: str
    path: str
    tls: bool
    service: str
    status: int = 0

    @property
    def url(self) -> str:
        """Return the address as a person types it."""
        return f"{'https' if self.tls else 'http'}://{self.host}{self.path}"

    def accepts(self, status: int) -> bool:
        """Tell whether this status is the wanted one; with none wanted, any page or redirect is."""
        return status == self.status if self.status else status < 400 or status in (401, 403)  # noqa: PLR2004


def routes(objs: Iterable[Obj], runs: Iterable[Run]) -> tuple[Route, ...]:
    """Derive a request for each rule of each Ingress: a smoke request or probe of its service."""
    by_service = {alias: run for run in runs for alias in run.aliases}
    found: dict[Route, None] = {}
    for ingress in of_kind(objs, "Ingress"):
        spec = ingress["spec"]
        for rule in spec.get("rules") or ():
            host = rule.get("host", "")
            for path in (rule.get("http") or {}).get("paths") or ():
                service = ((path.get("backend") or {}).get("service") or {}).get("name", "")
                prefix = path.get("path") or "/"
                exact = path.get("pathType") == "Exact"
                target, status = _request(by_service.get(service), prefix, exact=exact)
                if host and not host.startswith("*"):
                    found[Route(host, target, _secure(spec, host), service, status)] = None
    return tuple(found)


def _secure(spec: Obj, host: str) -> bool:
    """Tell whether an Ingress serves a host by TLS; an entry without hosts means all of them."""
    names = {host, "*." + host.partition(".")[2]}
    return any(not entry.get("hosts") or names & set(entry["hosts"]) for entry in spec.get("tls") or ())


def _request(run: Run | None, prefix: str, *, exact: bool) -> tuple[str, int]:
    """Choose what to ask below a prefix: the readiness path, else a smoke GET, else the prefix."""
    if run and run.readiness and run.readiness.path and _leads(prefix, run.readiness.path, exact=exact):
        return run.readiness.path, 0
    for request in run.requests if run else ():
        if request.method == "GET" and _leads(prefix, request.path, exact=exact):
            return request.path, request.status
    return prefix, 0


def _leads(prefix: str, path: str, *, exact: bool) -> bool:
    """Tell whether an Ingress path matches a request's, element by element (Ingress API, pathType)."""
    path = path.partition("?")[0]
    return path == prefix if exact else (path + "/").startswith(prefix.rstrip("/") + "/")


def pages(routes_: Iterable[Route]) -> tuple[str, ...]:
    """Return one address for each host, as people open them."""
    return tuple(dict.fromkeys(f"{'https' if r.tls else 'http'}://{r.host}" for r in routes_))
