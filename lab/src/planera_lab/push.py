"""Pushes packed images to the mirror; runs inside the lab's network: `python3 -m planera_lab.push FOLDER NAME ...`."""

from __future__ import annotations

import hashlib
import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from planera_lab.oci import MANIFEST
from planera_lab.settings import MIRROR

READY_SECONDS = 60.0


class Registry:
    """The few requests of the distribution API that a push needs."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=60)

    def await_ready(self) -> None:
        """Return once the registry takes connections: it is started beside the one that the lab waits for."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.request("GET", "/v2/")
            except ConnectionError:
                self._connection.close()
                if time.monotonic() > deadline:
                    raise SystemExit(
                        f"push to the mirror: no connection within {READY_SECONDS:.0f} s: see logs/services/mirror.log"
                    ) from None
                time.sleep(0.05)
            else:
                return

    def request(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Send a request and read the answer to its end, so that the connection can be used again."""
        self._connection.request(method, path, body=body, headers=headers or {})  # type: ignore[arg-type]
        answer = self._connection.getresponse()
        answer.read()
        return answer

    def push(self, folder: Path, reference: str) -> bool:
        """Push an image unless the registry has exactly this one; tell whether it was pushed."""
        name, tag = path_and_tag(reference)
        manifest = (folder / "manifest.json").read_bytes()
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        there = self.request("HEAD", f"/v2/{name}/manifests/{tag}", headers={"Accept": MANIFEST})
        if there.status == http.HTTPStatus.OK and there.headers.get("Docker-Content-Digest") == digest:
            return False
        parsed = json.loads(manifest)
        for blob in (parsed["config"], *parsed["layers"]):
            self._push_blob(name, folder / "blobs" / blob["digest"], blob["digest"])
        self._expect(201, "PUT", f"/v2/{name}/manifests/{tag}", manifest, {"Content-Type": MANIFEST})
        return True

    def _push_blob(self, name: str, file: Path, digest: str) -> None:
        if self.request("HEAD", f"/v2/{name}/blobs/{digest}").status == http.HTTPStatus.OK:
            return
        started = self._expect(202, "POST", f"/v2/{name}/blobs/uploads/")
        place = urlsplit(started.headers["Location"])
        target = f"{place.path}?{place.query}&digest={digest}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
        with file.open("rb") as body:
            self._expect(201, "PUT", target, body, headers)

    def _expect(
        self, status: int, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        answer = self.request(method, path, body, headers)
        if answer.status != status:
            raise SystemExit(
                f"push to the mirror: {method} {path}: answered {answer.status}: see logs/services/mirror.log"
            )
        return answer


def path_and_tag(reference: str) -> tuple[str, str]:
    """Split 'docker.io/library/python:3.13-slim' into the mirror's path and the tag."""
    path, _, tag = reference.partition("/")[2].rpartition(":")
    return path, tag


def main(arguments: list[str]) -> None:
    """Push each FOLDER under the NAME that follows it."""
    registry = Registry(MIRROR)
    registry.await_ready()
    for folder, reference in zip(arguments[::2], arguments[1::2], strict=True):
        if registry.push(Path(folder), reference):
            print(f"pushed {reference}")


if __name__ == "__main__":
    main(sys.argv[1:])
