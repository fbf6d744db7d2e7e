"""An API server as HTTP: requests that block, their answers, watch streams and the ends of logs.

The generated client is used for what it is good at (kubeconfig, TLS, tokens); objects stay the
JSON that the API server sends, because a typed copy would lose the fields that it does not know.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from urllib3.exceptions import HTTPError

from planera_ci.cluster.connection import cause_of, refusal, refuse_weak_pods, token_of
from planera_ci.cluster.lean import ApiClient, ApiException
from planera_ci.domain.manifests import Obj
from planera_ci.errors import Unreachable

_CONNECT, _READ = 5.0, 15.0
_SKEW = 2.0
_CHUNK, _MOST_LOG = 2**16, 2**18
"""Bytes of a log that are read at once, and that are kept."""
_STARTING, _TRIES = 15.0, 2


@dataclass
class Health:
    """When the API server last gave no answer; one that starts refuses rights that it has not read yet."""

    _shaken: float = float("-inf")

    def shake(self) -> None:
        """Note that there was no answer."""
        self._shaken = time.monotonic()

    @property
    def recovering(self) -> bool:
        """Tell whether that is so short ago that a refusal may pass."""
        return time.monotonic() - self._shaken < _STARTING


@dataclass
class Server:
    """One API server, reached with one kubeconfig."""

    api: ApiClient
    server: str
    read: float = field(default=_READ, kw_only=True)
    """Seconds that an answer may take: through a tunnel, a connection whose other end is gone just stays silent."""
    enforced: str = field(default="", kw_only=True)
    """The level of Pod Security that the namespace enforces: a dry run that warns of it is taken as refused."""
    ahead: float = field(default=0.0, kw_only=True)
    """Seconds by which the API server's clock is ahead of ours."""
    health: Health = field(default_factory=Health, kw_only=True)

    def now(self) -> float:
        """Return the time by the API server's clock, in seconds since 1970."""
        return time.time() + self.ahead

    def request(
        self,
        method: str,
        path: str,
        *,
        act: str,
        query: list[tuple[str, str]] | None = None,
        until: float | None = None,
        **kwargs: Any,
    ) -> str:
        """Ask once and return the answer; what changes something is sent only if it can end before `until`."""
        query = list(query or ())
        if until is not None:
            left = until - uptime()
            if left < 1:
                raise Unreachable(act, "it could not be sent while the lock was sure", "try again")
            query.append(("timeout", f"{left:.0f}s"))
        try:
            response = self._raw(method, path, query=query, **kwargs)
            self._note_clock(response)
            if self.enforced and "dryRun" in dict(query):
                refuse_weak_pods(response.headers.getlist("Warning"), self.enforced, act)
            return str(response.data.decode())
        except ApiException as error:
            raise refusal(error, act, self.server, token_of(self.api)) from error
        except (HTTPError, OSError) as error:
            self.health.shake()
            raise Unreachable(
                act, f"no answer from {self.server} ({cause_of(error)})", "check the kubeconfig's server and --cluster"
            ) from error

    def follow(self, path: str, query: list[tuple[str, str]], silence: float) -> Iterator[Obj]:
        """Yield watch events as they come; blocks, so it belongs in a thread of its own.

        A stream that stays silent for longer than the given seconds is taken for dead.
        """
        act, response = "watch the cluster", None
        try:
            response = self._raw("GET", path, query=query, read=silence)
            rest = b""
            for chunk in response.stream(amt=None):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        except ApiException as error:
            raise refusal(error, act, self.server, token_of(self.api)) from error
        except (HTTPError, OSError, ValueError) as error:
            self.health.shake()
            raise Unreachable(act, f"the stream from {self.server} broke off ({cause_of(error)})") from error
        finally:
            if response is not None:
                response.close()
                response.release_conn()

    def end_of(self, path: str, query: list[tuple[str, str]]) -> str:
        """Read what a container wrote, of which only the last part is kept; bytes that are no text are marked."""
        for _ in range(_TRIES):
            kept, response = b"", None
            try:
                response = self._raw("GET", path, query=query)
                for chunk in response.stream(_CHUNK):
                    kept = (kept + chunk)[-_MOST_LOG:]
            except ApiException:
                return ""
            except (HTTPError, OSError):
                if not kept:
                    continue  # a connection of the pool that the server had closed, perhaps
            finally:
                if response is not None:
                    response.release_conn()
            return kept.decode(errors="replace")
        return ""

    def _note_clock(self, response: Any) -> None:
        """Note how far the server's clock is ahead; its header has whole seconds, so that less says nothing."""
        date = response.headers.get("Date")
        if date:
            ahead = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
            self.ahead = ahead if abs(ahead) > _SKEW else 0.0

    def _raw(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: Obj | list[Obj] | None = None,
        content: str = "application/json",
        read: float | None = None,
    ) -> Any:
        return self.api.call_api(
            path,
            method,
            query_params=query or [],
            header_params={"Accept": "application/json", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=(_CONNECT, read or self.read),
        )


def uptime() -> float:
    """Return seconds by a clock that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
