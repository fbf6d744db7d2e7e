"""Replace a value of the application's Secret while the application serves: the release stays, its pods roll.

Every step is a revision of its own, deployed and verified like any other: if one fails or is killed,
what is put back is the step before, in which every pod accepts whatever another one may have signed.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from functools import partial

from planera_ci.cluster.history import Archive
from planera_ci.cluster.secrets import GENERATED
from planera_ci.deployment import Deployment
from planera_ci.domain import rotation as rules
from planera_ci.domain.history import History, Record, secret_versions, values_to_keep
from planera_ci.domain.manifests import Key, namespace_of
from planera_ci.domain.report import Report
from planera_ci.domain.rotation import Step
from planera_ci.errors import ConfigError, HistoryError
from planera_ci.pipeline.render import load as load_manifests
from planera_ci.restoration import Target, again

_BYTES = 32


@dataclass(frozen=True)
class Wish:
    """What is to be replaced, and how."""

    key: str
    """A key of the application's Secret; KEY-previous where only the value before is to be dropped."""
    value: str = ""
    """The new value; an empty one is generated."""
    drop: bool = False
    """Whether the value before is refused in the end."""


@dataclass(frozen=True)
class Rotation:
    """One value's way into force."""

    run: Deployment
    wish: Wish

    @property
    def act(self) -> str:
        """Return what errors say was tried."""
        return f"rotate {self.wish.key} of {self.run.project.name} in {self.run.environment}"

    async def rotate(self) -> Report:
        """Put the new value into force step by step, each proven before the next begins."""
        value, run = self.wish.value or secrets.token_urlsafe(_BYTES), self.run
        objs = await load_manifests(run.project.manifests, run.environment)
        masked = replace(run, secrets=replace(run.secrets, new=value))
        transition = masked.transition(namespace_of(objs, run.environment), self.act, f"rotate {self.wish.key}")
        steps = rules.steps(self.wish.key, drop=self.wish.drop)
        encoded = base64.b64encode(value.encode()).decode()
        return await transition.run_in_turn([partial(self._target, step, encoded) for step in steps], "")

    async def _target(self, step: Step, value: str, history: History, archive: Archive) -> Target:
        """Return the release that runs, with the values of a step."""
        good, key, name = self._good(history), self.wish.key, f"{archive.app}-secrets"
        stored = await archive.values()
        live = await archive.cluster.get(Key("v1", "Secret", archive.namespace, name))
        data: dict[str, str] = dict((live or {}).get("data") or {})
        if step is rules.steps(key, drop=self.wish.drop)[0]:
            rules.check_key(self.act, key, data, drop=self.wish.drop, given=bool(self.wish.value))
            if step is Step.ACCEPT:
                if not self.wish.value and key not in GENERATED:
                    raise ConfigError(self.act, "its value cannot be made up", "give one: --value env://NAME")
                rules.check_value(self.act, key, value, data, good.secrets, stored)
                rules.check_readers(self.act, await archive.objects(good), name, key)
        values = rules.after(step, data, key, value)
        versions = secret_versions(values, stored, history.next_revision)
        target = await again(archive, good, versions, values, good.secrets)
        kept = values_to_keep(values, versions, stored, history.restorable)
        await archive.keep_values(kept | rules.retired(stored, key, data, values))
        rotates = rules.rotated_key(step, key)
        return replace(target, rotates=rotates, notes=(rules.told(rotates, there=rotates in values),))

    def _good(self, history: History) -> Record:
        """Return the release that runs; what failed and was left is not one."""
        if history.good is None:
            raise HistoryError(self.act, "no deployment has succeeded yet", "deploy first")
        if history.left_behind:
            raise HistoryError(
                self.act, "the newest revision failed and was left as it is", "deploy or roll back, then rotate"
            )
        return history.good
