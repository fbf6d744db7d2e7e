"""The evidence of a failed deployment as files, secrets hidden, and small enough to be kept."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from planera_ci.cluster.evidence import _MOST_BYTES, _packed
from planera_ci.domain.evidence import _CUT, _MOST_LOGS, Findings, files, shortened, summary, to_read

Like = Callable[[str], Any]

SECRET = 'hunter2-"token"'


@pytest.fixture
def found(like: Like) -> Findings:
    """Return findings that show a secret wherever one may turn up."""
    pod, event = like("pod-new"), like("event")
    later = {**event, "reason": "BackOff", "message": f"later {SECRET}", "lastTimestamp": "2026-11-23T07:00:09Z"}
    return Findings(
        verdict=f"deploy: it said {SECRET}",
        report={"app": "planera", "verdict": {"message": SECRET}},
        plan=f"~ deployment/backend (update)\n    env: {SECRET} → x",
        timeline=((0.25, "apply begins"), (12.0, f"event {SECRET}")),
        objects=(like("deployment"), {**pod, "status": {"message": SECRET}}),
        events=(later, {**event, "reason": "Failed", "message": "first"}),
        logs={"backend-7d4f-x2x7q.api": f"a line\n{SECRET}\n", "backend-7d4f-x2x7q.api.previous": "before\n"},
    )


def test_evidence_is_files_by_what_they_hold(found: Findings) -> None:
    """Verdict, report, timeline, diff and events, and a file for each object and each log."""
    assert set(files(found, ())) == {
        "verdict.txt",
        "report.json",
        "timeline.txt",
        "plan.diff",
        "events.txt",
        "objects/deployment-backend.json",
        "objects/pod-backend-7d4f-x2x7q.json",
        "logs/backend-7d4f-x2x7q.api.log",
        "logs/backend-7d4f-x2x7q.api.previous.log",
    }


def test_no_file_shows_a_secret(found: Findings) -> None:
    """The value is hidden in every file, and inside the JSON of report and objects, too."""
    open_to_all, kept = files(found, ()), files(found, (SECRET,))
    escaped = json.dumps(SECRET)[1:-1]
    showing = {path for path, text in open_to_all.items() if SECRET in text or escaped in text}
    assert len(showing) == 7, "the findings show it, but for one object and one log"
    for path, text in kept.items():
        assert SECRET not in text
        assert escaped not in text
        assert ("***" in text) is (path in showing)


def test_masks_may_be_named_once(found: Findings) -> None:
    """Every file is masked, not only the first, whatever iterable the values come in."""
    assert files(found, iter((SECRET,))) == files(found, (SECRET,))


def test_files_read_as_they_should(found: Findings) -> None:
    """Events are in the order in which they happened, a timeline has its seconds, and JSON is JSON."""
    kept = files(found, ())
    assert kept["events.txt"].splitlines() == [
        "2026-11-23T07:00:05.000+00:00  pod/backend-7d4f-x2x7q Failed: first",
        f"2026-11-23T07:00:09.000+00:00  pod/backend-7d4f-x2x7q BackOff: later {SECRET}",
    ]
    assert kept["timeline.txt"].splitlines() == ["     0.2 s  apply begins", f"    12.0 s  event {SECRET}"]
    assert json.loads(kept["report.json"]) == found.report
    assert "→ zwölf" in files(replace(found, report={"note": "→ zwölf"}), ())["report.json"], "letters stay letters"
    assert (
        "→ zwölf"
        in files(replace(found, objects=({**found.objects[0], "note": "→ zwölf"},)), ())[
            "objects/deployment-backend.json"
        ]
    )
    assert json.loads(kept["objects/deployment-backend.json"]) == found.objects[0]
    assert kept["plan.diff"] == found.plan + "\n"
    assert kept["logs/backend-7d4f-x2x7q.api.previous.log"] == "before\n"


def test_story_is_told_again_when_the_rollback_has_ended(found: Findings) -> None:
    """What the rollback adds replaces files that are there, and no others."""
    assert set(summary(found)) == {"verdict.txt", "report.json", "timeline.txt"}
    assert summary(found).items() <= files(found, ()).items()


@pytest.mark.cases("evidence/to_read")
def test_logs_are_read_of_containers_that_are_not_well(case: Any) -> None:
    """Which containers are read, in which order, and of which the run before as well."""
    assert [list(each) for each in to_read(case["pods"], case.get("first", ""))] == case["read"]


def test_only_so_many_logs_are_read_and_the_one_that_matters_is_among_them(like: Like) -> None:
    """A release of hundreds of broken pods is understood from a few of them."""
    pods = [{**like("pod-new"), "metadata": {"name": f"pod-{n}"}} for n in range(3 * _MOST_LOGS)]
    found = to_read(pods, "pod-70")
    assert len(found) == _MOST_LOGS
    assert found[0][0] == "pod-70"


@pytest.mark.cases("evidence/shortened")
def test_evidence_is_shortened_where_it_is_long(case: Any) -> None:
    """What is too long is cut at the beginning of its logs; what says why is never touched."""
    kept = {path: text.replace(_CUT, "CUT") for path, text in shortened(case["files"], case["share"]).items()}
    assert kept == case["kept"]


def test_evidence_of_any_size_fits_into_one_object(found: Findings) -> None:
    """Logs that cannot be compressed are shortened until the cluster takes them, each with its end."""
    noise = base64.b64encode(random.Random(5).randbytes(1_200_000)).decode()
    evidence = {**files(found, ()), "logs/a.api.log": noise + "the end", "logs/b.api.log": "short"}
    packed = base64.b64decode(_packed(evidence))
    unpacked = json.loads(gzip.decompress(packed))
    assert len(packed) <= _MOST_BYTES
    assert unpacked["verdict.txt"] == evidence["verdict.txt"]
    assert unpacked["logs/a.api.log"].startswith(_CUT)
    assert unpacked["logs/a.api.log"].endswith("the end")


def test_evidence_that_fits_is_kept_as_it_is(found: Findings) -> None:
    """Nothing is cut without need, and the same evidence is kept in the same bytes."""
    evidence = files(found, ())
    assert json.loads(gzip.decompress(base64.b64decode(_packed(evidence)))) == evidence
    assert _packed(evidence) == _packed(dict(evidence))
