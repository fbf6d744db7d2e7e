"""The commands of `lab/lab`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from planera_lab import (
    acme,
    builder,
    building,
    faults,
    gobuilds,
    host,
    lifecycle,
    node,
    roles,
    shellenv,
    status,
    urls,
    worker,
)
from planera_lab.errors import LabError
from planera_lab.parts import Store
from planera_lab.pins import Pins
from planera_lab.progress import say
from planera_lab.settings import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence


def parser() -> argparse.ArgumentParser:
    """Return the grammar of the command line."""
    top = argparse.ArgumentParser(prog="lab/lab", description="A real Dagger engine and Kubernetes on this machine.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="build what is missing and start what does not run")
    up.add_argument("--only", choices=["engine"], help="only the engine and the registries, no Kubernetes")
    down = commands.add_parser("down", help="end everything that the lab started")
    down.add_argument("--purge", action="store_true", help="remove everything from the disk as well")
    status = commands.add_parser("status", help="show what runs")
    status.add_argument("--json", action="store_true", help="as JSON")
    down.add_argument("--prune", action="store_true", help="remove built parts of earlier versions")
    commands.add_parser("doctor", help="name each unmet need of this machine, and its remedy")
    commands.add_parser("urls", help="print the addresses of what is deployed, and how to open them")
    commands.add_parser("env", help='print what a shell needs: eval "$(lab/lab env)"')
    run = commands.add_parser("run", help="run a command with that environment")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    fault = commands.add_parser("fault", help="break what surrounds a pipeline, and mend it")
    fault.add_argument("action", choices=faults.ACTIONS, metavar="ACTION", help=", ".join(faults.ACTIONS))
    fault.add_argument("what", choices=faults.things(), metavar="WHAT", help=", ".join(faults.things()))
    second = commands.add_parser("worker", help="have a second node join the cluster, or leave it")
    second.add_argument("action", choices=worker.ACTIONS, metavar="ACTION", help=", ".join(worker.ACTIONS))
    own = commands.add_parser("builder", help="start a BuildKit beside the engine, to build from a shell, or stop it")
    own.add_argument("action", choices=builder.ACTIONS, metavar="ACTION", help=", ".join(builder.ACTIONS))
    issuing = commands.add_parser("acme", help="start what issues certificates by ACME, or stop it")
    issuing.add_argument("action", choices=acme.ACTIONS, metavar="ACTION", help=", ".join(acme.ACTIONS))
    tool = commands.add_parser("tool", help="build programs that the lab itself does not need, and print their paths")
    tool.add_argument(
        "names", choices=list(gobuilds.PROGRAMS), nargs="+", metavar="NAME", help=", ".join(gobuilds.PROGRAMS)
    )
    return top


def main(arguments: Sequence[str]) -> int:
    """Run a command; errors that the user can act on are one message, without a trace."""
    options = parser().parse_args(arguments)
    try:
        return dispatch(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted: the same command goes on where it was", file=sys.stderr)
        return 130


def dispatch(options: argparse.Namespace) -> int:
    """Call what the command names."""
    lab, pins = Lab.from_environment(), Pins.load()
    match options.command:
        case "up":
            lifecycle.up(lab, pins, only_engine=options.only == "engine")
            say('the lab is up: eval "$(lab/lab env)" makes this shell use it')
        case "down":
            if options.purge:
                lifecycle.purge(lab)
            else:
                lifecycle.down(lab, pins, prune=options.prune)
        case "status":
            return show_status(lab, pins, as_json=options.json)
        case "doctor":
            return doctor(lab, pins)
        case "tool":
            parts = {name: gobuilds.PROGRAMS[name](pins) for name in options.names}
            store = building.build(Store(lab), parts.values())
            for name, part in parts.items():
                print(store.path(part) / name)
        case _:
            return use(lab, pins, options)
    return 0


def use(lab: Lab, pins: Pins, options: argparse.Namespace) -> int:
    """Call what the command names, of those that are nothing without a lab that runs."""
    require_up(lab)
    match options.command:
        case "urls":
            sys.stdout.write(urls.describe(lab, pins))
        case "env":
            shellenv.write_dotenv(lab)
            sys.stdout.write(shellenv.exports(environment(lab, pins)))
        case "fault":
            faults.fault(lab, pins, options.action, options.what)
        case "worker":
            worker.act(lab, pins, options.action)
        case "builder":
            builder.act(lab, pins, options.action)
        case "acme":
            acme.act(lab, pins, options.action)
        case "run":
            return run(lab, pins, options.words)
    return 0


def show_status(lab: Lab, pins: Pins, *, as_json: bool) -> int:
    """Print the status; the exit status tells whether all of it is up."""
    found = status.collect(lab, pins)
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if as_json else status.as_text(found))
    return 0 if found["up"] else 1


def doctor(lab: Lab, pins: Pins) -> int:
    """Print each need of the machine; the exit status tells whether all are met."""
    findings = host.examine(lab, pins)
    for finding in findings:
        print(f"{'ok  ' if finding.met else 'FAIL'}  {finding.need}: {finding.seen}")
        if not finding.met:
            print(f"      remedy: {finding.remedy}")
    unmet = [finding for finding in findings if not finding.met]
    print(f"{len(unmet)} of {len(findings)} needs are not met" if unmet else f"all {len(findings)} needs are met")
    return 1 if unmet else 0


def require_up(lab: Lab) -> None:
    """Fail unless the lab runs; `up --only engine` starts no node."""
    expected = [name for name in lifecycle.ROLES if name != node.NAME or roles.record(lab, name).exists()]
    missing = [name for name in expected if roles.running(lab, name) is None]
    if missing:
        raise LabError(f"use the lab: {', '.join(missing)} of {lab.home} does not run: start it with `lab/lab up`")


def environment(lab: Lab, pins: Pins) -> dict[str, str]:
    """Return the variables of a shell that uses the lab."""
    return shellenv.variables(lab, pins, Store(lab), os.environ.get("PATH", os.defpath))


def run(lab: Lab, pins: Pins, words: Sequence[str]) -> int:
    """Run a command in the lab's environment and pass its exit status on."""
    command = list(words[1:] if words[:1] == ["--"] else words)
    if not command:
        raise LabError("run in the lab: no command was given: write `lab/lab run -- COMMAND`")
    values = {**os.environ, **environment(lab, pins)}
    try:
        return subprocess.run(command, env=values, check=False).returncode
    except FileNotFoundError as exc:
        raise LabError(f"run {command[0]}: no such program on PATH: check the name") from exc
