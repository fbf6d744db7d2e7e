"""What the README's first command does on a machine where everything is there already."""

from __future__ import annotations

import time

from tests.e2e.harness import ROOT, run

_MOST_SECONDS = 5.0


def test_demo_deploys_the_example_and_says_how_to_open_it() -> None:
    """`make demo` ends with the application verified and its addresses."""
    out = run(["make", "demo"])
    assert "planera staging" in out
    assert "https://staging.planera.app/" in out
    assert "run the published digests" in out


def test_what_demo_adds_to_the_bare_call_is_small() -> None:
    """With everything there, what `make demo` runs besides `dagger call` takes no more than 5 s."""
    begun = time.monotonic()
    run(["lab/lab", "up"], ROOT)
    run(["lab/lab", "run", "--", "true"], ROOT)
    run(["lab/lab", "urls"], ROOT)
    assert time.monotonic() - begun <= _MOST_SECONDS
