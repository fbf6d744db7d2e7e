"""What kubectl's users do before they apply."""

from __future__ import annotations

from typing import Any

from tests.faults.peers import changed_jobs


def _job(name: str, image: str) -> dict[str, Any]:
    return {"kind": "Job", "metadata": {"name": name}, "spec": {"image": image}}


def test_each_job_that_is_to_be_another_is_known() -> None:
    """A Job cannot be changed in place, and an application may have more than one."""
    before = [_job("database-password", "1"), _job("migrate", "1"), {**_job("backend", "1"), "kind": "Deployment"}]
    after = [_job("database-password", "1"), _job("migrate", "2"), {**_job("backend", "2"), "kind": "Deployment"}]
    assert changed_jobs(before, after) == ["migrate"]
    assert changed_jobs(before, before) == []
    assert changed_jobs([], after) == []
