"""What a page shows is held against what is printed, whatever differs each time."""

from __future__ import annotations

import pytest

from tests.docs.output import problems

_PRINTED = """\
planera staging  5e2f707  (was bfccd34)                     22 s
  build     backend built, frontend unchanged since bfccd34
  publish   ghcr.io/acme/planera-backend@sha256:c3bbc527de9363684f1117035827d23403cd2fef1430144e8ea8a448d7975b1f  built
  verify    certificate of acme.planera.app by planera lab: valid, 3649 days left
"""


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [
        (tuple(_PRINTED.splitlines()), []),
        (
            tuple(
                _PRINTED.replace("5e2f707", "0a1b2c3").replace("22 s", "9.1 s").replace("c3bbc", "00000").splitlines()
            ),
            [],
        ),
        (tuple(_PRINTED.replace("planera lab: valid, 3649", "R11: valid, 89").splitlines()), []),
        (tuple(_PRINTED.replace("frontend unchanged since bfccd34", "…").splitlines()), []),
        (("  build     backend built, frontend unchanged since bfccd34", "…"), []),
        (tuple(_PRINTED.splitlines()[:2]), ["not shown: publish", "not shown: verify"]),
        (("  deploy    done", "…"), ["not printed:   deploy    done"]),
        (("…", "  build     … since 0a1b2c3, or so"), ["not printed:   build     … since 0a1b2c3, or so"]),
    ],
    ids=[
        "same",
        "other values",
        "other issuer",
        "cut within",
        "cut after",
        "step missing",
        "never printed",
        "cut wrong",
    ],
)
def test_shape_is_compared(shown: tuple[str, ...], wrong: list[str]) -> None:
    """Digests, times and counts may differ; words, and a report's steps, may not."""
    assert problems(shown, _PRINTED) == wrong


def test_names_of_pods_differ_each_time() -> None:
    """A pod's name ends as the cluster says."""
    told = "crash: pod backend-7fd997dd66-7mpz2 container backend exited twice, last with code 1. See `evidence`."
    assert problems((told,), told.replace("7fd997dd66-7mpz2", "db64666dd-n9pdb")) == []
    assert problems((told,), told.replace("pod backend", "pod frontend")) != []
