"""Serve the API: `python -m planera_backend`."""

import asyncio
import logging
import signal
import sys

import uvicorn

from .api import create_app
from .settings import Settings, SettingsError
from .store import TaskStore


async def serve(settings: Settings) -> None:
    """Serve until a signal comes, then finish the requests under way."""
    config = uvicorn.Config(
        create_app(settings, TaskStore(settings.database)),
        host="0.0.0.0",  # noqa: S104 - a container's port is its boundary
        port=8000,
        access_log=False,
        log_config=None,
        server_header=False,
        # Longer than proxies keep a connection that is not used (Traefik: 90 s): one that uvicorn ends, after 5 s
        # by default, may just then be given a POST, which no proxy sends twice.
        timeout_keep_alive=120,
        timeout_graceful_shutdown=10,
    )
    await uvicorn.Server(config).serve()


def main() -> int:
    """Check the settings, then serve."""
    # The first process of a container has no default handlers: without this one, SIGTERM before
    # the server is up would be ignored. It also makes the end of a clean shutdown exit code 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = Settings.of()
    except SettingsError as error:
        print(f"planera backend: {error}", file=sys.stderr)
        return 1
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("planera").info("planera backend %s", settings.version)
    asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
