"""What a user's browser reaches: the lab's ingress, by the hosts' own names, certificates checked."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time

_SECONDS = 10


class Web:
    """A client of the lab's ingress."""

    def __init__(self) -> None:
        self.port = int(os.environ["LAB_HTTPS"].rpartition(":")[2])
        self.context = ssl.create_default_context(cafile=os.environ["LAB_CA"])

    def get(self, host: str, path: str) -> tuple[int, str]:
        """Ask over TLS as a browser would that resolves the host to the lab."""
        return self.ask("GET", host, path)

    def ask(self, method: str, host: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Ask with any method and body."""
        connection = _Named(host, self.port, self.context)
        try:
            connection.request(method, path, body, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def answers(self, host: str, path: str) -> bool:
        """Tell whether a page is there within 10 s: connections of the application may have been ended on purpose."""
        end = time.monotonic() + _SECONDS
        while self.get(host, path)[0] != http.client.OK:
            if time.monotonic() > end:
                return False
        return True

    def certificate(self, host: str) -> dict[str, object]:
        """Return the fields of the certificate that a browser is shown for a host, and trusts."""
        connection = _Named(host, self.port, self.context)
        try:
            connection.connect()
            assert isinstance(connection.sock, ssl.SSLSocket)
            return dict(connection.sock.getpeercert() or {})
        finally:
            connection.close()

    def version(self, host: str, wanted: str) -> str:
        """Return the version that the API names, asking until it is the wanted one, for at most 10 s.

        Traefik takes up changed endpoints every two seconds at most; until then the pod that is on its way
        out still answers, which is what its preStop pause is for.
        """
        end = time.monotonic() + _SECONDS
        while True:
            found = str(json.loads(self.get(host, "/api/version")[1])["version"])
            if found == wanted or time.monotonic() > end:
                return found


class _Named(http.client.HTTPConnection):
    """A TLS connection to the lab's port that asks for another host."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__("127.0.0.1", port, timeout=_SECONDS)
        self.named, self.context = host, context

    def connect(self) -> None:
        raw = socket.create_connection((self.host, self.port), _SECONDS)
        self.sock = self.context.wrap_socket(raw, server_hostname=self.named)
