"""The states of an application in which tests/e2e/test_docs.py runs the commands of the pages, one after the other."""

from __future__ import annotations

STATES = {
    "fresh": "a clone of this repository, with an owner and hosts of its own; nothing is in the cluster",
    "deployed": "the same, deployed to staging once",
    "changed": "one line of the backend is another one, and committed",
    "crashing": "the next commit passes every test, and its backend ends as soon as it runs in the cluster",
    "settled": "that deployment has failed and was rolled back",
}
