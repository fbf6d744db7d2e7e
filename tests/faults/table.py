"""The raw figures of the matrix as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

from tests.measured import again, table

Facts = dict[str, Any]

_NONE = "\N{EN DASH}"
_LONGEST = 110
_PEERS = ("helm", "kubectl")
_OURS = ("class", "deciding state → verdict", "whole call", "rolled back and verified in", "evidence", "requests lost")
_THEIRS = ("outcome", "verdict after", "reason given", "rolled back")


def markdown(raw: Facts) -> str:
    """Return the tables, what they amount to, and what they were measured on."""
    groups, rows = _grouped(raw["rows"]), raw["rows"]
    peers = [name for name in _PEERS if all(name in row for row in rows)]
    mine = [[name, *_ours(group)] for name, group in groups.items()]
    parts = [_about(raw["about"], len(rows) // len(groups)), table(["fault", *_OURS], mine), _sums(rows)]
    if peers:
        head = [f"{_peer(name, raw['about'])}: {column}" for name in peers for column in _THEIRS]
        beside = [[name, _seconds(_told(group)), *_peers(group, peers)] for name, group in groups.items()]
        parts += [_how(raw["about"]), table(["fault", "planera-ci: verdict after", *head], beside)]
    return "".join(f"{part}\n\n" for part in parts)


def _grouped(rows: Iterable[Facts]) -> dict[str, list[Facts]]:
    groups: dict[str, list[Facts]] = {}
    for row in rows:
        groups.setdefault(row["fault"], []).append(row)
    return groups


def _told(group: list[Facts]) -> list[float | None]:
    return [row["planera-ci"]["seconds"] for row in group]


def _ours(group: list[Facts]) -> list[str]:
    expected, found = group[0]["expected"], [row["planera-ci"] for row in group]
    wrong = [each["class"] for each in found if each["class"] != expected]
    backs = [each["rollback"] for each in found if each["rollback"]]
    lacks = [what for each in found for what in each["missing"] or ()]
    lost, sent = sum(each["lost"] for each in found), sum(each["sent"] for each in found)
    verified = all(back["verified"] for back in backs)
    return [
        f"**{', '.join(wrong)}**" if wrong else expected or "none: succeeded",
        _seconds(_told(group)),
        _seconds([each["call"] for each in found]),
        _seconds([back["seconds"] for back in backs]) + ("" if verified else " **unverified**"),
        _NONE if not expected else f"**lacks {', '.join(lacks)}**" if lacks else "complete",
        f"{lost} of {sent}",
    ]


def _peers(group: list[Facts], peers: list[str]) -> list[str]:
    cells: list[str] = []
    for name in peers:
        found = [row[name] for row in group]
        failed = [each for each in found if each["outcome"] == "failed"]
        cells += [
            f"{found[0]['outcome']} after {_seconds([each['call'] for each in found])}",
            _seconds([each["seconds"] for each in found]),
            _short(failed[0]["said"]) if failed else _NONE,
            ("yes" if all(each["rolled_back"] for each in failed) else "no") if failed else _NONE,
        ]
    return cells


def _seconds(values: list[float | None]) -> str:
    """Show a duration; of several the middle one and the longest."""
    known = [value for value in values if value is not None]
    if not known:
        return _NONE
    middle = f"{median(known):.1f} s"
    return middle if len(known) == 1 else f"{middle} (at most {max(known):.1f} s)"


def _short(text: str) -> str:
    """Return the end of a message, where the reason stands."""
    plain = text.replace("|", "\\|").replace("<", "&lt;")
    return plain if len(plain) <= _LONGEST else f"… {plain[-_LONGEST:]}"


def _peer(name: str, about: Facts) -> str:
    return {"helm": f"Helm {about['helm'].split('+')[0]}", "kubectl": f"kubectl {about['kubectl']}"}[name]


def _about(about: Facts, rounds: int) -> str:
    return (
        f"Measured {about['date']}: planera-ci {about['planera-ci']}, Dagger {about['dagger']}, Kubernetes "
        f"{about['kubernetes']} (the lab: one node), {about['cores']} cores, {about['memory']}, {about['system']}; "
        f"{rounds} round{'s' if rounds > 1 else ''}. " + again(about, "verdicts.json")
    )


def _how(about: Facts) -> str:
    hopeless, passing = about["timeouts"]
    limit = f"--timeout={hopeless}s"
    return (
        f"The same objects by others, in namespaces of their own: `helm upgrade --install --wait --rollback-on-failure "
        f"{limit}`, the migration as a hook; `kubectl apply`, then `kubectl rollout status {limit}` of one workload "
        "after the other. Seconds count from the deciding state, as for planera-ci, to the end of the command. "
        f"Where the trouble passes, both were given {passing} s; Helm's own default is 300 s."
    )


def _sums(rows: list[Facts]) -> str:
    """Say what the table amounts to."""
    bad, passing = ([row["planera-ci"] for row in rows if bool(row["expected"]) is wanted] for wanted in (True, False))
    told = [each["seconds"] for each in bad if each["seconds"] is not None]
    late = [each["seconds"] for each in passing if each["seconds"] is not None]
    counted = [row["planera-ci"] for row in rows if not row["lossy"]]
    wrong = sum(row["planera-ci"]["class"] != row["expected"] for row in rows if row["expected"])
    lost, sent = sum(each["lost"] for each in counted), sum(each["sent"] for each in counted)
    facts = {
        "from the deciding state to the verdict": f"median {median(told or [0]):.1f} s, "
        f"at most {max(told, default=0):.1f} s",
        "from the last replica's being available to success": f"at most {max(late, default=0):.1f} s",
        "wrong classes": f"{wrong} of {len(bad)}",
        "false alarms": f"{sum(each['outcome'] != 'succeeded' for each in passing)} of {len(passing)}",
        "rollbacks verified": f"{sum(bool((each['rollback'] or {}).get('verified')) for each in bad)} of {len(bad)}",
        "requests lost, the node's restart left out": f"{lost} of {sent}",
    }
    return "\n".join(f"- {what}: {figure}" for what, figure in facts.items())
