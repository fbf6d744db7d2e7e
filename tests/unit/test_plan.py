"""What applying a release would change, and how that is shown."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain.manifests import Key
from planera_ci.domain.plan import MASK, Action, Change, Plan, change_of, removals


def _key(kind: str, name: str) -> Key:
    return Key("v1", kind, "planera-staging", name)


@pytest.mark.cases("plan/change")
def test_change_is_what_differs_from_the_servers_answer(case: Any) -> None:
    """Live object and dry run give an action and a line for each difference."""
    api_version, kind, name = case["key"]
    key = Key(api_version, kind, "planera-staging", name)
    change = change_of(key, case["live"], case["wanted"], replace=case.get("replace", False))
    assert change == Change(key, Action(case["action"]), tuple(_escaped(line) for line in case["lines"]))


def _escaped(line: str) -> str:
    return line.replace("\n", "\\n")


@pytest.mark.parametrize("field", ["data", "stringData"])
@pytest.mark.parametrize("value", ["c2VjcmV0", {"nested": "c2VjcmV0"}, ["c2VjcmV0"]])
def test_no_value_of_a_secret_is_ever_shown(field: str, value: Any) -> None:
    """Whatever the shape of a Secret's data, a plan shows the mask instead."""
    key = _key("Secret", "planera-secrets")
    for live, wanted in (({}, {"k": value}), ({"k": value}, {}), ({"k": "b2xk"}, {"k": value})):
        text = Plan((change_of(key, {field: live}, {field: wanted}),)).text()
        assert "c2VjcmV0" not in text
        assert "b2xk" not in text
        assert MASK in text


@pytest.mark.cases("plan/removals")
def test_removals_come_from_the_inventory(case: Any) -> None:
    """Only what a record names is removed, never data, and never what is still wanted."""
    before, now = ([Key(*entry) for entry in case[side]] for side in ("before", "now"))
    assert [str(change.key) for change in removals(before, now)] == case["gone"]
    assert removals(before, iter(now)) == removals(before, now), "any iterable will do"


def test_plan_shows_what_changes_and_counts_the_rest() -> None:
    """A plan has one line for each change, its differences below it, and the counts at its end."""
    plan = Plan(
        (
            Change(_key("ConfigMap", "new"), Action.CREATE),
            Change(_key("Deployment", "backend"), Action.UPDATE, ("spec.replicas: 1 → 2",)),
            Change(_key("Job", "migrate"), Action.REPLACE),
            Change(_key("Service", "backend"), Action.KEEP),
            Change(_key("Ingress", "old"), Action.REMOVE),
        )
    )
    assert plan.text().splitlines() == [
        "+ configmap/new (create)",
        "~ deployment/backend (update)",
        "    spec.replicas: 1 → 2",
        "± job/migrate (replace)",
        "- ingress/old (remove)",
        "3 changed, 1 unchanged, 1 removed",
    ]


def test_plan_says_what_is_adopted_and_shows_no_value_that_came_by_other_means(like: Callable[[str], Any]) -> None:
    """Whose an object was stands at its head; variables and kubectl's copy, which may hold a password, are hidden."""
    live, key = like("applied"), _key("Deployment", "backend")
    wanted = copy.deepcopy(live)
    del wanted["metadata"]["annotations"]
    wanted["spec"]["template"]["spec"]["containers"][0]["env"][1:] = [{"name": "NEW", "value": "shown"}]
    text = Plan((change_of(key, live, wanted, adopted=("kubectl",)),)).text()
    assert text.splitlines() == [
        "~ deployment/backend (update, adopted from kubectl)",
        '    metadata.annotations: {"kubectl.kubernetes.io/last-applied-configuration": "kubectl\'s copy"} → (absent)',
        '    spec.template.spec.containers[api].env[DEBUG]: {"name": "DEBUG", "value": "***"} → (absent)',
        '    spec.template.spec.containers[api].env[NEW]: (absent) → {"name": "NEW", "value": "shown"}',
        "1 changed, 0 unchanged, 0 removed, 1 adopted",
    ]


def test_plan_shows_values_of_our_own_manifests_alone(like: Callable[[str], Any]) -> None:
    """A plain value that another plain one replaces is readable; one that goes may be left of other means."""
    live, key = like("applied"), _key("Deployment", "backend")
    wanted = copy.deepcopy(live)
    env = wanted["spec"]["template"]["spec"]["containers"][0]["env"]
    debug = next(entry for entry in env if entry["name"] == "DEBUG")
    debug["value"] = "another"
    assert "letmein" in Plan((change_of(key, live, wanted),)).text()
    env.remove(debug)
    for replace in (False, True):
        text = Plan((change_of(key, live, wanted, replace=replace),)).text()
        assert "letmein" not in text
        assert '{"name": "DEBUG", "value": "***"}' in text


LOGIN = _key("Secret", "planera-registry")


@pytest.mark.parametrize(
    ("changes", "besides", "any_change"),
    [
        ((), False, False),
        ((Change(_key("Service", "backend"), Action.KEEP),), False, False),
        ((Change(LOGIN, Action.UPDATE, ("data..dockerconfigjson: *** → ***",)),), False, True),
        ((Change(LOGIN, Action.CREATE), Change(_key("Service", "backend"), Action.KEEP)), False, True),
        ((Change(LOGIN, Action.UPDATE), Change(_key("Service", "backend"), Action.UPDATE)), True, True),
        ((Change(LOGIN, Action.KEEP), Change(_key("Job", "migrate"), Action.REPLACE)), True, True),
        ((Change(_key("Ingress", "old"), Action.REMOVE),), True, True),
        ((Change(_key("Secret", "planera-secrets"), Action.CREATE),), True, True),
    ],
    ids=["nothing", "kept", "login", "new-login", "login-and-more", "replaced", "removed", "another-secret"],
)
def test_new_login_for_the_registry_is_no_new_release(
    changes: tuple[Change, ...], *, besides: bool, any_change: bool
) -> None:
    """A token that changes with every CI job does not make a revision; anything else does."""
    assert Plan(changes).changes_besides(LOGIN) is besides
    assert Plan(changes).changes_besides(None) is any_change


def test_plan_without_changes_says_so() -> None:
    """A second deployment of the same state shows that it changes nothing."""
    assert Plan((Change(_key("Service", "backend"), Action.KEEP),)).text() == "0 changed, 1 unchanged, 0 removed"
