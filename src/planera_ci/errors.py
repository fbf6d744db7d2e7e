"""Everything that can go wrong, as sentences that stand alone.

    PlaneraError
    ├── ConfigError            an argument or a setting is wrong
    ├── SourceError            the application's source cannot be used
    ├── ManifestError          a manifest cannot be used
    ├── BuildError             an image did not build
    ├── ApplicationTestError   the application's own tests failed
    ├── SmokeError             a built container did not pass the smoke test
    ├── RegistryError          an image could not be found, read or pushed
    ├── ClusterError           the cluster could not be used
    │   ├── Unreachable        no answer from the API server
    │   ├── NotFound           the object is not there
    │   ├── AccessDenied       credentials refused, or a right is missing
    │   ├── LockHeld           another run holds the environment's lock
    │   ├── LockLost           another run has taken the lock over
    │   └── Rejected           the API server refused an object
    │       └── Conflict       somebody else has changed it meanwhile
    ├── HistoryError           a revision or its evidence is not there
    ├── RolloutError           a workload did not become ready
    ├── DataError              a backup could not be made, or not be used
    ├── VerifyError            what runs is not what was deployed
    ├── DeploymentError        a deployment failed after it had begun; says what was done about it
    └── ChecksFailed           checks of this repository failed

A message says: act : object : observed : what was done or what to do.
The Dagger API keeps only the text of an error, so the text has to be enough.
"""

from __future__ import annotations


class PlaneraError(Exception):
    """Say in one sentence what was tried, on what, what happened and what to do."""

    def __init__(self, act: str, observed: str, remedy: str = "", *, tail: str = "", line: int = 0) -> None:
        self.act = act
        self.observed = observed
        self.remedy = remedy
        self.tail = tail
        self.line = line
        """The line of the Dockerfile that failed, where that is known."""
        super().__init__(sentence(act, observed, remedy, tail))


class ConfigError(PlaneraError):
    """An argument or a setting is wrong."""


class SourceError(PlaneraError):
    """The application's source cannot be used."""


class ManifestError(PlaneraError):
    """A manifest cannot be used."""


class BuildError(PlaneraError):
    """An image did not build."""


class ApplicationTestError(PlaneraError):
    """The application's own tests failed."""


class SmokeError(PlaneraError):
    """A built container did not pass the smoke test."""


class RegistryError(PlaneraError):
    """An image could not be found, read or pushed."""


class ClusterError(PlaneraError):
    """The cluster could not be used."""


class Unreachable(ClusterError):
    """The API server gave no answer."""


class NotFound(ClusterError):
    """The object is not there."""


class AccessDenied(ClusterError):
    """The API server refused the credentials, or a right is missing."""


class Rejected(ClusterError):
    """The API server refused an object."""


class Conflict(Rejected):
    """Somebody else has changed the object meanwhile."""


class LockHeld(ClusterError):
    """Another run holds the environment's lock."""


class LockLost(ClusterError):
    """Another run has taken the environment's lock over."""


class HistoryError(PlaneraError):
    """A revision or its evidence is not there."""


class RolloutError(PlaneraError):
    """A workload did not become ready; the verdict says why and where."""

    def __init__(self, act: str, observed: str, remedy: str = "", *, tail: str = "", verdict: object = None) -> None:
        super().__init__(act, observed, remedy, tail=tail)
        self.verdict = verdict


class DataError(PlaneraError):
    """A backup could not be made, or not be used."""


class VerifyError(PlaneraError):
    """What runs is not what was deployed."""


class DeploymentError(PlaneraError):
    """A deployment failed after it had begun; it says what was done about it, and has the report as facts."""

    def __init__(
        self, act: str, observed: str, remedy: str = "", *, tail: str = "", facts: dict[str, object] | None = None
    ) -> None:
        super().__init__(act, observed, remedy, tail=tail)
        self.facts = facts or {}


class ChecksFailed(PlaneraError):
    """Checks of this repository failed; the tail says which passed, and what those that failed printed."""


def sentence(act: str, observed: str, remedy: str = "", tail: str = "") -> str:
    """Join the parts of a message; the tail, a log's end, goes on lines of its own."""
    text = f"{act}: {observed.strip().rstrip('.')}."
    if remedy:
        text += f" {remedy[0].upper()}{remedy[1:].rstrip('.')}."
    if tail.strip():
        text += "\n" + "\n".join(f"    {line}" for line in tail.strip().splitlines())
    return text


def first_error(error: BaseException) -> BaseException:
    """Return the error that a task group wrapped, the first of ours if there is one."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    members = [first_error(member) for member in error.exceptions]
    return next((m for m in members if isinstance(m, PlaneraError)), members[0])


def last_lines(text: str, count: int = 20) -> str:
    """Return the last lines that hold something."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])
