"""The SDK's client without checks at run time: the SDK takes its client from a module of this name, if there is one.

A quarter of what a start of the SDK costs is writing a check of the arguments for each of the client's methods, and
Dagger starts a module three times for a call. mypy has checked the same calls before.
"""

import dagger.client._guards as guards

_typecheck = guards.typecheck
guards.typecheck = lambda client: client

from dagger.client.gen import *  # noqa: E402, F403

guards.typecheck = _typecheck
