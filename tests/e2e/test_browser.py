"""A person uses the deployed application in a browser, through the Ingress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.browser import browsing
from tests.e2e.harness import App


def test_a_person_adds_and_finishes_a_task(make: Callable[[], App], tmp_path: Path) -> None:
    """A task typed into the page is stored by the API in the database and is there after a reload."""
    app = make()
    app.deployed()
    with browsing(tmp_path) as browser:
        browser.open(f"https://{app.host}/")
        browser.type("#add input[name=title]", "Water the plants")
        browser.click("#add button")
        assert browser.text("#open:not([hidden]) ul .name") == "Water the plants"
        browser.open(f"https://{app.host}/")
        assert browser.text("#open:not([hidden]) ul .name") == "Water the plants"
        browser.click("#open ul input[type=checkbox]")
        assert browser.text("#done:not([hidden]) ul .name") == "Water the plants"
        commit = app.get("deployments", "-l", "app.kubernetes.io/name=backend")[0]["spec"]["template"]["metadata"]
        assert browser.text("#api-version") in commit["annotations"]["planera-ci/revision"]
        browser.picture(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 10_000
