"""A page as a browser loads it, and whether all of it was of one version."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from pathlib import PurePosixPath

from tests.downtime.client import Client, Request
from tests.downtime.cookies import Jar
from tests.downtime.tally import Trouble
from tests.downtime.wire import Answer

_NAMED = re.compile(r'(?:src|href)="(/[^"]+)"')
_VERSION = re.compile(r'<meta name="planera-version" content="([^"]*)"')


async def load(client: Client, host: str, jar: Jar, since: float | None = None) -> None:
    """Load a page: the page, what it names, then what its script asks of the API, in its order."""
    tally = client.tally
    tally.pages += 1
    page = await client.ask(Request(host, "/", fresh=True, jar=jar), since)
    if page is None or page.status != 200:
        return
    text = page.body.decode(errors="replace")
    shown = next(iter(_VERSION.findall(text)), "")
    tally.seen[f"page {shown}"] += 1
    begun = time.monotonic()
    names = list(dict.fromkeys(_NAMED.findall(text)))
    assets = await asyncio.gather(*(client.ask(Request(host, name, jar=jar)) for name in names))
    api = [await client.ask(Request(host, path, jar=jar)) for path in ("/api/version", "/api/tasks")]
    versions = [version for answer in api if (version := told(answer))]
    wrong = [why for name, answer in zip(names, assets, strict=True) if (why := foreign(name, answer))]
    if len(set(versions)) > 1:
        wrong.append(f"the API answered as {' and as '.join(dict.fromkeys(versions))}")
    if wrong:
        wrong.append(f"{time.monotonic() - begun:.2f} s after the page {shown}")
        tally.mixed.append(Trouble.now(f"page of {host}", "; ".join(wrong)))


def foreign(name: str, answer: Answer | None) -> str:
    """Say why an asset is not the one that the page means: its name is the digest of its content.

    An asset that did not come at all, or with an error of the server, has failed and is not mixed.
    """
    if answer is None or answer.status >= 500:
        return ""
    if answer.status != 200:
        return f"{name} is {answer.status}"
    digest = PurePosixPath(name).stem
    is_it = hashlib.sha256(answer.body).hexdigest()[: len(digest)] == digest
    return "" if is_it else f"{name} has another content"


def told(answer: Answer | None) -> str:
    """Return the version that an answer of the API names: in a header, or as its content."""
    if answer is None:
        return ""
    content = answer.json()
    return answer.header("planera-version") or (str(content.get("version", "")) if isinstance(content, dict) else "")
