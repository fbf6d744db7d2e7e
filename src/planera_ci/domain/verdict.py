"""What a deployment came to: its class of reason, on what, seen when, told when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planera_ci.domain import symptom as sy
from planera_ci.domain.manifests import Key
from planera_ci.domain.moments import stamp
from planera_ci.domain.symptom import Failure
from planera_ci.errors import AccessDenied, Conflict, PlaneraError, Rejected, RolloutError, VerifyError

VERIFY, ACCESS, CLUSTER = "verify", "access", "cluster"
"""Classes of what goes wrong around a rollout: what runs is not what was wanted, a right is missing, no answer."""


@dataclass(frozen=True)
class Verdict:
    """Success, or the class and the place of a failure; times are the cluster's."""

    reason: str = ""
    object: str = ""
    message: str = ""
    pod: str = ""
    container: str = ""
    decided: float = 0.0
    told: float = 0.0

    @property
    def text(self) -> str:
        """Say on what, of which class, and why."""
        return ": ".join(filter(None, (self.object, self.reason, self.message)))

    @property
    def seconds(self) -> float | None:
        """Return the seconds from the cluster's knowing to ours, where the cluster says when it knew."""
        return round(max(self.told - self.decided, 0.0), 3) if self.decided else None

    def facts(self) -> dict[str, Any]:
        """Return the verdict as JSON holds it."""
        return {
            "reason": self.reason,
            "object": self.object,
            "message": self.message,
            "pod": self.pod,
            "container": self.container,
            "decided": stamp(self.decided),
            "told": stamp(self.told),
            "seconds": self.seconds,
        }


def of_failure(key: Key, failure: Failure, told: float) -> Verdict:
    """Return the verdict on a workload that cannot become ready."""
    return Verdict(failure.reason, str(key), failure.message, failure.pod, failure.container, failure.decided, told)


def of_error(error: PlaneraError, told: float) -> Verdict:
    """Return the verdict on a deployment that an error ended."""
    if isinstance(error, RolloutError) and isinstance(error.verdict, Verdict):
        return error.verdict
    if isinstance(error, Rejected) and not isinstance(error, Conflict):
        reason = sy.QUOTA if "exceeded quota" in error.observed else sy.ADMISSION
    else:
        reason = {VerifyError: VERIFY, AccessDenied: ACCESS}.get(type(error), CLUSTER)
    return Verdict(reason, "" if reason == VERIFY else error.act, error.observed, told=told)
