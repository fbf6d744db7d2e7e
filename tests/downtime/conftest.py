"""The counting is tested on servers of known faults, without the lab; deployments are tested in the lab."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.downtime.shape import Production, production
from tests.needs_lab import demanded


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Run an application of production's shape whose first release runs."""
    demanded("make downtime")
    with production(f"d{secrets.token_hex(3)}", tmp_path_factory.mktemp("app")) as made:
        yield made
