"""The lab's registry as any client of the OCI distribution API sees it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFESTS = (
    f"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, {_INDEX}"
)


def _open(path: str, method: str = "GET", data: bytes | None = None, kind: str = "") -> tuple[Any, bytes]:
    request = urllib.request.Request(f"https://{os.environ['LAB_REGISTRY']}/v2/{path}", method=method, data=data)
    if kind:
        request.add_header("Content-Type", kind)
    login = f"planera:{Path(os.environ['LAB_REGISTRY_PASSWORD_FILE']).read_text().strip()}"
    request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    request.add_header("Accept", _MANIFESTS)
    context = ssl.create_default_context(cafile=os.environ["LAB_CA"])
    context.check_hostname = False  # it answers as ghcr.io, and is reached at a port of this machine
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        return answer.headers, answer.read()


def digest(repository: str, tag: str) -> str:
    """Return the digest that a tag names."""
    return str(_open(f"{repository}/manifests/{tag}", "HEAD")[0]["Docker-Content-Digest"])


def labels(repository: str, tag: str) -> dict[str, str]:
    """Return the labels of an image."""
    manifest = json.loads(_open(f"{repository}/manifests/{tag}")[1])
    config = json.loads(_open(f"{repository}/blobs/{manifest['config']['digest']}")[1])
    found: dict[str, str] = config["config"].get("Labels") or {}
    return found


def tags(repository: str) -> dict[str, str]:
    """Return every tag of a repository and the digest that it names."""
    names = json.loads(_open(f"{repository}/tags/list")[1])["tags"] or ()
    return {name: digest(repository, name) for name in names}


def plant(repository: str, tag: str, *, index: bool = False) -> str:
    """Publish an image of nothing, or an index of none, under a tag, as somebody else would; return its digest."""
    if index:
        text = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": []}).encode()
        return str(_open(f"{repository}/manifests/{tag}", "PUT", text, _INDEX)[0]["Docker-Content-Digest"])
    empty = b"{}"
    name = f"sha256:{hashlib.sha256(empty).hexdigest()}"
    where = _open(f"{repository}/blobs/uploads/", "POST")[0]["Location"]
    path = where.partition("/v2/")[2]
    mark = "&" if "?" in path else "?"
    _open(f"{path}{mark}digest={name}", "PUT", empty, "application/octet-stream")
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(empty), "digest": name}
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    return str(
        _open(f"{repository}/manifests/{tag}", "PUT", json.dumps(manifest).encode(), kind)[0]["Docker-Content-Digest"]
    )


def remove(repository: str, name: str) -> None:
    """Remove an image by its digest, with its tags."""
    _open(f"{repository}/manifests/{name}", "DELETE")


def manifest(repository: str, tag: str) -> tuple[bytes, dict[str, Any]]:
    """Return the manifest that a tag names, as it is kept and as it reads."""
    text = _open(f"{repository}/manifests/{tag}")[1]
    found: dict[str, Any] = json.loads(text)
    return text, found


def blob(repository: str, name: str) -> bytes:
    """Return a layer or a configuration."""
    return bytes(_open(f"{repository}/blobs/{name}")[1])


def has(repository: str) -> bool:
    """Tell whether anything was ever published under this name."""
    try:
        _open(f"{repository}/tags/list")
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return False
    return True


def uploads(owner: str) -> int:
    """Return how many blob uploads the registry has logged for an owner's repositories."""
    log = Path(os.environ["LAB_LOGS"], "services", "ghcr.log").read_text(errors="replace")
    return log.count(f'"POST /v2/{owner}/planera-backend/blobs/uploads/') + log.count(
        f'"POST /v2/{owner}/planera-frontend/blobs/uploads/'
    )
