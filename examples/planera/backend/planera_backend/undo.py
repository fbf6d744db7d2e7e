"""Undo without a recycle bin: a deleted task goes out as a signed token (JWT, HS256) and can come back with it.

The signature is why a restored task can be believed: nobody without JWT_SECRET can make up an id or a creation date.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from .tasks import Task

LIFETIME = 600  # seconds
HEADER = {"alg": "HS256", "typ": "JWT"}


class InvalidToken(Exception):
    """The token is not ours, or no longer valid."""


def token_of(task: Task, secret: str, now: float) -> str:
    """Sign `task` for `LIFETIME` seconds."""
    claims = {"aud": "undo", "exp": int(now) + LIFETIME, "task": task.to_json()}
    body = f"{encoded(HEADER)}.{encoded(claims)}"
    return f"{body}.{signature(body, secret)}"


def task_of(token: str, secrets: Sequence[str], now: float) -> Task:
    """Return the task in `token`, if it was signed with one of the secrets and has not expired."""
    body, _, given = token.rpartition(".")
    # Our own algorithm is the only one: what the header claims is never asked.
    if not token.isascii() or not any(hmac.compare_digest(signature(body, secret), given) for secret in secrets):
        raise InvalidToken("the undo token is not valid")
    try:
        claims = json.loads(decoded(body.partition(".")[2]))
    except (ValueError, binascii.Error):
        raise InvalidToken("the undo token is not valid") from None
    if not isinstance(claims, dict) or claims.get("aud") != "undo":
        raise InvalidToken("the undo token is not valid")
    if claims["exp"] < now:
        raise InvalidToken("the undo token has expired")
    return Task.from_json(claims["task"])


def signature(body: str, secret: str) -> str:
    """Return the HMAC of `body`."""
    return to_base64(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())


def encoded(value: object) -> str:
    """Return `value` as base64url JSON."""
    return to_base64(json.dumps(value, separators=(",", ":")).encode())


def to_base64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Read base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
