"""The verb that looks at this repository itself."""

from __future__ import annotations

from typing import Protocol

from dagger import check, function

from planera_ci import arguments as given
from planera_ci.told import plainly


class Checking(given.Settings, Protocol):
    """A part of the module's object: what it is told apart from is in its name."""

    @function(cache="never")
    @check
    async def checks(self, repo: given.Repo, only: given.Only = None) -> str:
        """Check this repository: lint, types, tests, manifests and docs.

        Each check runs in a container that holds what it reads and nothing else; where none of that has changed,
        the answer that it had is kept.
        """
        from planera_ci import verbs
        from planera_ci.pipeline.clock import Clock

        with plainly():
            return (await verbs.checks(self, repo, only or (), Clock())).text()
