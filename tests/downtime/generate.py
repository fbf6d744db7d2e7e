"""The load as a process of its own: settings as an argument, figures on standard output, over when standard input is.

`python -m tests.downtime.generate '{"address": …, "port": …, "ca": …, "host": …, "api": …}'`
"""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import sys
from typing import Any

from tests.downtime.traffic import Traffic
from tests.downtime.wire import Edge


async def generated(settings: dict[str, Any]) -> dict[str, Any]:
    """Make the load until standard input ends."""
    ca = settings.pop("ca", None)
    context = ssl.create_default_context(cafile=ca) if ca else None
    edge = Edge(settings.pop("address"), settings.pop("port"), context)
    over = asyncio.Event()
    waiting = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    waiting.add_done_callback(lambda _: over.set())
    traffic = Traffic(edge, **settings)
    await traffic.warm()
    return await traffic.run(over)


def main(words: list[str]) -> int:
    """Make the load and print its figures."""
    gc.freeze()
    sys.stdout.write(json.dumps(asyncio.run(generated(json.loads(words[0])))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
