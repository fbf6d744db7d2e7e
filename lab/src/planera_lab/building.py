"""Builds the parts that are missing, side by side: what waits for the network beside what waits for a processor."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from planera_lab import gobuilds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planera_lab.parts import Part, Store

# Two builds of Go at once, though each has work for two processors most of the time: one downloads its modules or
# links, which takes one processor at most, while the other compiles.
COMPILERS = 2


def build(store: Store, parts: Iterable[Part]) -> Store:
    """Build what is missing of the parts: programs in two lanes, Debian's packages in a third, in the given order.

    An image of one program is packed by the lane that built the program. When a build fails, those that run end.
    """
    missing = [part for part in parts if not store.has(part)]
    alone = [part for part in missing if part.made_of is None]
    compiled = iter([part for part in alone if part.name in gobuilds.NAMES])
    unpacked = iter([part for part in alone if part.name not in gobuilds.NAMES])
    failed = threading.Event()

    def lane(waiting: Iterator[Part]) -> None:
        for part in waiting:
            if failed.is_set():
                return
            try:
                store.ensure(part)
                for image in missing:
                    if image.made_of is not None and image.made_of.key == part.key:
                        store.ensure(image)
            except BaseException:
                failed.set()
                raise

    with ThreadPoolExecutor() as lanes:
        running = [lanes.submit(lane, waiting) for waiting in (*[compiled] * COMPILERS, unpacked)]
    for ended in running:
        ended.result()
    for part in missing:
        store.ensure(part)
    return store
