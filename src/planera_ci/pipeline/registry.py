"""The few calls of the OCI distribution spec that the engine has no function for: look up and tag.

The engine pushes layers. Giving an existing digest another tag is one PUT of the same manifest;
pushing a pulled image instead would make a new digest, since the engine writes new times into it.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass, field, replace

import dagger
import httpx

from planera_ci.errors import RegistryError

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ACCEPT = f"{_MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
_INDEXES = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_SECONDS = 30.0


@dataclass(frozen=True)
class Found:
    """A published image: its digest, its labels, and the manifest's bytes."""

    digest: str
    labels: dict[str, str]
    media_type: str
    manifest: bytes


@dataclass
class Registry:
    """One registry and the login that images are published with."""

    host: str
    user: str
    token: dagger.Secret | None
    _bearer: dict[str, str] = field(default_factory=dict)
    _client: httpx.AsyncClient | None = None

    def login(self, container: dagger.Container) -> dagger.Container:
        """Give a container the registry's login, if there is one."""
        return container.with_registry_auth(self.host, self.user, self.token) if self.token else container

    async def find(self, repository: str, tag: str) -> Found | None:
        """Return the image that a tag names, or nothing where there is none."""
        act = f"read {repository}:{tag}"
        answer = await self._ask(act, "GET", repository, f"manifests/{tag}", {"Accept": _ACCEPT})
        if answer.status_code == _NOT_FOUND:
            return None
        manifest = answer.json()
        config = manifest.get("config", {}).get("digest")
        if not config:  # an index of several platforms is none of ours
            return None
        blob = await self._ask(act, "GET", repository, f"blobs/{config}")
        labels = json.loads(blob.content).get("config", {}).get("Labels") or {}
        digest = answer.headers["Docker-Content-Digest"]
        return Found(digest, labels, answer.headers["Content-Type"], answer.content)

    async def digest(self, repository: str, tag: str) -> str:
        """Return the digest of whatever a tag names, an image or an index of several; nothing where it is free."""
        accepted = {"Accept": f"{_ACCEPT}, {_INDEXES}"}
        answer = await self._ask(f"read {repository}:{tag}", "HEAD", repository, f"manifests/{tag}", accepted)
        return "" if answer.status_code == _NOT_FOUND else answer.headers["Docker-Content-Digest"]

    async def tag(self, repository: str, image: Found, tag: str) -> None:
        """Give an image another tag."""
        headers = {"Content-Type": image.media_type}
        act = f"tag {repository}:{tag}"
        await self._ask(act, "PUT", repository, f"manifests/{tag}", headers, image.manifest)

    async def notes(self, repository: str, tag: str) -> dict[str, str]:
        """Return the annotations of what a tag names; nothing where there is no such tag."""
        accepted = {"Accept": _ACCEPT}
        answer = await self._ask(f"read {repository}:{tag}", "GET", repository, f"manifests/{tag}", accepted)
        return {} if answer.status_code == _NOT_FOUND else dict(answer.json().get("annotations") or {})

    async def note(self, repository: str, image: Found, tag: str, annotations: dict[str, str]) -> None:
        """Keep annotations under a tag: the image's manifest with them, of which the registry has every blob."""
        manifest = json.loads(image.manifest)
        manifest["annotations"] = {**(manifest.get("annotations") or {}), **annotations}
        await self.tag(repository, replace(image, manifest=json.dumps(manifest).encode()), tag)

    async def _ask(
        self,
        act: str,
        method: str,
        repository: str,
        path: str,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        name = repository.partition("/")[2]
        url = f"https://{self.host}/v2/{name}/{path}"
        client = self._connected()
        try:
            sent = {**(headers or {}), **self._authorization(name)}
            answer = await client.request(method, url, headers=sent, content=content)
            if answer.status_code == _UNAUTHORIZED and await self._log_in(client, name, answer):
                sent = {**(headers or {}), **self._authorization(name)}
                answer = await client.request(method, url, headers=sent, content=content)
        except httpx.HTTPError as error:
            raise RegistryError(
                act, f"{self.host} gave no answer ({str(error) or type(error).__name__})", "try again when it answers"
            ) from error
        if answer.status_code in (_UNAUTHORIZED, _FORBIDDEN):
            raise self.refused(act)
        missing = answer.status_code == _NOT_FOUND and method in ("GET", "HEAD")
        if answer.is_error and not missing:
            raise RegistryError(act, f"{self.host} answered {answer.status_code}", "try again when it is well")
        return answer

    def _connected(self) -> httpx.AsyncClient:
        """Return the one client of a run: authorities are read once, and connections are used again."""
        if self._client is None:
            context = ssl.create_default_context()
            self._client = httpx.AsyncClient(verify=context, timeout=_SECONDS, follow_redirects=True)
        return self._client

    def _authorization(self, name: str) -> dict[str, str]:
        return {"Authorization": self._bearer[name]} if name in self._bearer else {}

    async def _log_in(self, client: httpx.AsyncClient, name: str, answer: httpx.Response) -> bool:
        """Answer the registry's challenge: by the login itself, or by a token got with it."""
        if self.token is None:
            return False
        scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        login = httpx.BasicAuth(self.user, (await self.token.plaintext()).strip())
        if scheme.lower() == "basic":
            request = next(login.auth_flow(httpx.Request("GET", answer.url)))
            self._bearer[name] = request.headers["Authorization"]
            return True
        challenge = dict(_CHALLENGE.findall(rest))
        if not challenge.get("realm"):
            return False
        query = {"service": challenge.get("service", ""), "scope": f"repository:{name}:pull,push"}
        granted = await client.get(challenge["realm"], params=query, auth=login)
        token = granted.json().get("token") if granted.is_success else None
        if token:
            self._bearer[name] = f"Bearer {token}"
        return bool(token)

    def refused(self, act: str) -> RegistryError:
        """Return the error of a login that the registry does not accept."""
        return RegistryError(
            act,
            f"{self.host} refused the login of user {self.user or '(none)'}",
            "pass --user and --token of an account that may write packages; nothing was published",
        )
