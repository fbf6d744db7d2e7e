"""Brings the lab up and takes it down; safe to repeat, and to run after either was interrupted."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from planera_lab import (
    acme,
    addons,
    builder,
    building,
    cgroups,
    discard,
    engine,
    gobuilds,
    images,
    network,
    node,
    once,
    packages,
    roles,
    services,
    shellenv,
    supervision,
    worker,
)
from planera_lab.errors import LabError
from planera_lab.parts import Store, exclusive
from planera_lab.progress import step
from planera_lab.rootfs import minimal
from planera_lab.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from planera_lab.parts import Part
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

# What a lab that is up runs; a worker, a builder or an authority for ACME may be there or not.
ROLES = (node.NAME, engine.NAME, services.NAME)
# Images that a module and the example are built from; the others are the cluster's own.
ENGINE_IMAGES = ("python", "node", "nginx", "postgres")
EVER = datetime.min.replace(tzinfo=UTC)


def catalogue(pins: Pins, *, only_engine: bool = False) -> list[Part]:
    """All parts that `up` builds, the engine's first: it can be used first."""
    built = images.catalogue(pins)
    first = [*engine.parts(pins), *(built[name] for name in ENGINE_IMAGES)]
    if only_engine:
        return first
    programs = [gobuilds.kubernetes(pins), gobuilds.ingress(pins)]
    return [*first, *programs, *(built[name] for name in addons.IMAGES)]


def up(lab: Lab, pins: Pins, *, only_engine: bool = False) -> None:
    """Build what is missing and start what does not run, until all of it answers."""
    with exclusive(lab.home / "lock", "this lab"):
        packages.install(lab)
        store = building.build(Store(lab), catalogue(pins, only_engine=only_engine))
        nameservers = network.start(lab, store.path(services.parts(pins)[0]))
        wanted = [services.role(lab, pins, store, nameservers), engine.role(lab, pins, store)]
        if not only_engine:
            wanted.append(node.role(lab, pins, store))
        began = datetime.now(UTC).replace(microsecond=0)
        with step("start what does not run", quiet_below=1.0):
            supervision.release_all(lab)
            started = {role.name for role in wanted if roles.start(lab, role)}
            discard.remove(lab)
            roles.await_ready(lab, services.NAME, lambda: services.ghcr_answer(lab) == services.UNAUTHORIZED)
            names = ENGINE_IMAGES if only_engine else (*ENGINE_IMAGES, *addons.IMAGES)
            keys = "\n".join(images.catalogue(pins)[name].key for name in names)
            once.do(lab, "images", keys, lambda: images.publish(lab, pins, store, names))
            roles.await_ready(lab, engine.NAME, lambda: engine.listens(lab), engine.READY_SECONDS)
            if not only_engine:
                await_cluster(lab, pins, began if node.NAME in started else EVER)
                acme.resume(lab, pins)
        shellenv.write_dotenv(lab)


def await_cluster(lab: Lab, pins: Pins, since: datetime) -> None:
    """Wait until the node and what a cluster needs are ready, and were seen to be since then."""
    node.write_kubeconfig(lab)
    roles.await_ready(lab, node.NAME, lambda: node.api_ready(lab))
    worker.forget(lab, pins)
    text = addons.manifest(lab, pins)
    once.do(lab, "addons", text, lambda: addons.apply(lab, pins, "addons", text))
    addons.await_ready(lab, pins, since)


def down(lab: Lab, pins: Pins, *, prune: bool = False) -> None:
    """End everything that runs or is mounted; what was built, pushed and deployed stays on disk."""
    with exclusive(lab.home / "lock", "this lab"):
        with step("stop the lab", quiet_below=1.0):
            stop_all(lab)
        if prune:
            wheels_in_use = [wheel(name, pins) for name in pins.wheels]
            tools = [make(pins) for make in gobuilds.TOOLS.values()]
            Store(lab).prune([minimal(pins), *catalogue(pins), *acme.parts(pins), *tools, *wheels_in_use])


def stop_all(lab: Lab) -> None:
    """End the roles side by side, then their network."""
    failures: list[LabError] = []

    def end(name: str) -> None:
        try:
            roles.stop(lab, name)
        except LabError as error:
            failures.append(error)

    threads = [threading.Thread(target=end, args=(name,)) for name in (acme.NAME, builder.NAME, worker.NAME, *ROLES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    discard.stop(lab)
    network.stop(lab)
    if not cgroups.enter_by_systemd():
        cgroups.remove(lab.identity)
    shutil.rmtree(lab.run, ignore_errors=True)


def purge(lab: Lab) -> None:
    """Take the lab down and remove all it keeps: state, logs, built parts, caches, the module's .env."""
    with exclusive(lab.home / "lock", "this lab"), step("stop the lab and remove what it keeps", quiet_below=1.0):
        stop_all(lab)
        shellenv.remove_dotenv(lab)
        remove_tree(lab.home)


def remove_tree(folder: Path) -> None:
    """Remove a folder with the read-only folders in it, as in Go's module cache."""

    def make_writable(function: Callable[[str], object], path: str, _: object) -> None:
        for target in (Path(path).parent, Path(path)):
            if not target.is_symlink() and target.exists():
                target.chmod(target.stat().st_mode | stat.S_IRWXU)
        function(path)

    if folder.exists() and not os.path.ismount(folder):
        shutil.rmtree(folder, onerror=make_writable)
