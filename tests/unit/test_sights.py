"""What is taken for an object of the namespace, and what is not."""

from __future__ import annotations

import json
import subprocess

from tests.faults.live import Live

_POD = {"kind": "Pod", "metadata": {"name": "backend", "uid": "1"}}
_STATUS = {"kind": "Status", "metadata": {}, "status": "Failure", "message": "an error on the server"}


def test_end_of_a_watch_is_no_object() -> None:
    """An API server that goes away says so by an event with a Status; the watch is begun anew."""
    live = Live("planera-t")
    said = "\n".join(
        json.dumps(event) for event in ({"type": "ADDED", "object": _POD}, {"type": "ERROR", "object": _STATUS})
    )
    with subprocess.Popen(["printf", "%s", said], stdout=subprocess.PIPE, text=True) as watch:
        live._read(watch)
    assert [sight.obj for sight in live.seen] == [_POD]
