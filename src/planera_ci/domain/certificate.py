"""What a host's certificate says of the host: whose it is, by whom, and for how long it is good.

A certificate belongs to an environment, not to a release: to put an earlier release back mends none. So a deployment
only reports on it, and `verify` fails where a user's browser would refuse the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_DAY = 86400.0
_SOON = 14
"""Days: certificates of ninety days are renewed thirty days before their end, so with less something is stuck."""

_SKEW = 300.0
"""Seconds that the clocks of an authority and of this machine may differ: a certificate begins when it is issued."""


@dataclass(frozen=True)
class Certificate:
    """What is read of a served certificate; times in seconds since 1970."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: float
    ends: float
    own: bool = False
    """Whether it is signed by itself, as one that a controller makes up is."""
    default: bool = False
    """Whether the controller serves it to who names no host, too."""


@dataclass(frozen=True)
class Judgement:
    """A sentence about a host's certificate, and what to do where a browser would refuse it."""

    text: str
    remedy: str = ""


def judged(host: str, found: Certificate, now: float) -> Judgement:
    """Judge the certificate that is served for a host."""
    by = f" by {found.issuer}" if found.issuer else ""
    head = f"certificate of {host}{by}"
    if not covers(found.names or (found.subject,), host):
        if found.own or found.default:
            return Judgement(
                f"certificate of {host}: not issued yet: the controller's own is served, which browsers refuse",
                "where the Ingress has an issuer, kubectl describe certificate says what it waits for",
            )
        named = ", ".join(found.names) or found.subject or "no name"
        return Judgement(
            f"{head}: names {named}, not this host", "compare the Ingress's tls hosts, and its Secret, with its rules"
        )
    if now >= found.ends:
        return Judgement(f"{head}: expired {_ago(now - found.ends)}", "look why it is not renewed, and renew it")
    if now < found.begins - _SKEW:
        return Judgement(f"{head}: not valid for another {_days(found.begins - now)}", "compare the clocks")
    left = found.ends - now
    overdue = ", its renewal is overdue" if left < _SOON * _DAY else ""
    shared = ", the controller's own" if found.default else ""
    return Judgement(f"{head}: valid, {_days(left)} left{overdue}{shared}")


def covers(names: Iterable[str], host: str) -> bool:
    """Tell whether a host is among a certificate's names; a star stands for exactly one label (RFC 6125)."""
    wanted = {host.lower(), "*." + host.lower().partition(".")[2]}
    return any(name.lower() in wanted for name in names)


def _ago(seconds: float) -> str:
    return f"{_days(seconds)} ago"


def _days(seconds: float) -> str:
    """Show a time in whole days that have passed or are left, in hours below one."""
    amount, unit = (int(seconds // _DAY), "day") if seconds >= _DAY else (int(seconds // 3600), "hour")
    return f"{amount} {unit}" + ("" if amount == 1 else "s")
