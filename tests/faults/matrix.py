"""Measure every fault with planera-ci, Helm and kubectl, and write the table: `python -m tests.faults.matrix`."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests import measured
from tests.e2e.harness import ROOT, App, make_app, run
from tests.e2e.thrift import Thrift
from tests.faults import signs
from tests.faults.catalogue import Fault, edited, faults
from tests.faults.live import Live
from tests.faults.meanwhile import ACTIONS, happening, serving
from tests.faults.peers import HOPELESS, PASSING, PEERS, Peer, Told, helm
from tests.faults.table import markdown
from tests.faults.trial import prepare, tried

DOCUMENT, RAW = ROOT / "docs/verdicts.md", ROOT / "docs/verdicts.json"
Facts = dict[str, Any]


def planera(app: App, fault: Fault, folder: Path) -> Facts:
    """Return what planera-ci made of a fault."""
    done = tried(app, fault, folder)
    verdict, rollback = done.verdict, done.report["rollback"]
    return {
        "class": verdict.get("reason", "?"),
        "said": verdict.get("message", done.outcome.err[-300:]),
        "seconds": verdict.get("seconds"),
        "own_seconds": done.late,
        "call": round(done.outcome.seconds, 1),
        "outcome": done.report["outcome"] or f"exit {done.outcome.code}",
        "rollback": rollback and {key: rollback[key] for key in ("verified", "seconds")},
        "missing": done.evidence.missing(changed=fault.edited, logged=fault.log) if done.evidence else None,
        "files": len(done.evidence.names()) if done.evidence else 0,
        "sent": done.sent,
        "lost": len(done.lost),
        "why_lost": sorted({each.why[:120] for each in done.lost})[:3],
        "kept": done.before.items() <= done.after.items(),
        "memory": done.report.get("memory"),
        "steps": {step["name"]: step["seconds"] for step in done.report.get("steps", ())},
    }


def beside(peer: Peer, fault: Fault, objs: list[Facts]) -> Facts:
    """Return what a peer made of a fault, and put its good version back."""
    peer.timeout = HOPELESS if fault.reason else PASSING
    with Live(peer.there.namespace) as live:
        with happening(fault.during, live):
            told = _twice(peer, objs) if fault.during == "second" else peer.deploy(objs)
            ended = datetime.now(UTC)
        seen = [sight.obj for sight in live.seen if sight.obj["metadata"]["uid"] not in live.before]
    decided = signs.decided(fault.sign, seen, fault.grace) if fault.reason else None
    back = peer.is_back()
    peer.timeout = PASSING
    peer.restore(fault.objects)
    return {
        "outcome": "failed" if told.code else "succeeded",
        "said": told.text,
        "seconds": (ended - decided).total_seconds() if decided else None,
        "call": round(told.seconds, 1),
        "rolled_back": back,
    }


def _twice(peer: Peer, objs: list[Facts]) -> Told:
    """Deploy twice at once; return the worse outcome."""
    with serving(peer.there.namespace) as serve, ThreadPoolExecutor(2) as pool:
        serve()
        both = list(pool.map(peer.deploy, (objs, objs)))
    return max(both, key=lambda told: told.code)


def by_peers(app: App, peers: list[Peer], fault: Fault) -> dict[str, Facts]:
    """Return what each peer made of a fault; side by side, unless something happens to the lab meanwhile."""
    with edited(app, fault):
        objs = [peer.objects() for peer in peers]
    with ThreadPoolExecutor(1 if fault.during in ACTIONS else 2) as pool:
        found = pool.map(lambda each: beside(each[0], fault, each[1]), zip(peers, objs, strict=True))
        return dict(zip((peer.name for peer in peers), found, strict=True))


def about(arguments: list[str], peers: list[Peer]) -> Facts:
    """Return what one must know to repeat the measurement."""
    version = run([helm(), "version", "--short"]).strip() if peers else ""
    return {**measured.about("tests.faults.matrix", arguments, "src"), "helm": version, "timeouts": [HOPELESS, PASSING]}


def arguments_of(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.matrix", description=__doc__)
    parser.add_argument("--only", action="append", choices=[fault.name for fault in faults()], help="only this fault")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"none, or some of {','.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=1, help="how often each fault is tried")
    return parser.parse_args(words)


def rows(app: App, chosen: Iterable[Fault], peers: list[Peer], folder: Path) -> Iterable[Facts]:
    """Yield one row for each fault."""
    for number, fault in enumerate(chosen):
        row = {"fault": fault.name, "expected": fault.reason, "lossy": fault.lossy}
        row |= {"planera-ci": planera(app, fault, folder / str(number))}
        row |= by_peers(app, peers, fault)
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
        yield row


def main(words: list[str]) -> int:
    """Measure, and write the table and the raw figures."""
    options = arguments_of(words)
    chosen = [fault for fault in faults() if not options.only or fault.name in options.only] * options.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = make_app(f"m{secrets.token_hex(3)}", folder / "app", cli=True, thrift=Thrift(pause=15))
        peers = [PEERS[peer](app, folder / peer) for peer in options.peers.split(",") if peer != "none"]
        try:
            prepare(app)
            app.deployed()
            for peer in peers:
                peer.prepare()
            raw = {"about": about(words, peers), "rows": list(rows(app, chosen, peers, folder))}
        finally:
            app.remove()
            for peer in peers:
                peer.remove()
    if options.only:
        sys.stdout.write(f"{markdown(raw)}{DOCUMENT.name} is left as it is: these are not all faults\n")
        return 0
    RAW.write_text(json.dumps(raw, indent=2) + "\n")
    DOCUMENT.write_text(measured.inserted(DOCUMENT.read_text(), markdown(raw), "matrix"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
