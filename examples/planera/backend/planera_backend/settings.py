"""Settings come from the environment, all of them, and are checked before anything else starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOG_LEVELS = ("debug", "info", "warning", "error")
VERSION_FILE = Path(__file__).parent.parent / "version"


class SettingsError(Exception):
    """A setting is missing or has no usable value."""


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the database is and who we are there."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    previous: str = field(repr=False, default="")
    """The password that is also tried: the database has the one or the other while it is being changed."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "DatabaseSettings":
        """Read the DATABASE_* variables."""
        names = ("HOST", "PORT", "NAME", "USER", "PASSWORD")
        host, port, name, user, password = required(env, *(f"DATABASE_{n}" for n in names))
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise SettingsError(f"DATABASE_PORT is {port!r}: give a port number")
        return cls(host, int(port), name, user, password, env.get("DATABASE_PASSWORD_PREVIOUS", ""))

    @property
    def parameters(self) -> dict[str, str | int]:
        """Connection parameters as libpq names them."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "password": self.password,
            "connect_timeout": 3,
            "application_name": "planera",
        }

    @property
    def passwords(self) -> tuple[str, ...]:
        """Passwords to try, the one that should be right first."""
        return tuple(dict.fromkeys(filter(None, (self.password, self.previous))))


@dataclass(frozen=True)
class Settings:
    """All that the API needs to run."""

    database: DatabaseSettings
    jwt_secret: str = field(repr=False)
    log_level: str
    version: str
    jwt_previous: str = field(repr=False, default="")
    """The key that other pods may still, or already, sign with."""

    @classmethod
    def of(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read every setting, and name all missing ones at once."""
        names = ("HOST", "PORT", "NAME", "USER", "PASSWORD")
        required(env, *(f"DATABASE_{n}" for n in names), "JWT_SECRET")
        return cls(
            database=DatabaseSettings.of(env),
            jwt_secret=env["JWT_SECRET"],
            jwt_previous=env.get("JWT_SECRET_PREVIOUS", ""),
            log_level=log_level_of(env),
            version=env.get("VERSION") or baked_version(),
        )

    @property
    def jwt_accepted(self) -> tuple[str, ...]:
        """Keys whose signatures are accepted; the first is the one to sign with."""
        return tuple(filter(None, (self.jwt_secret, self.jwt_previous)))


def required(env: Mapping[str, str], *names: str) -> list[str]:
    """Return the values of `names`; an empty value counts as missing."""
    missing = [name for name in names if not env.get(name)]
    if len(missing) == 1:
        raise SettingsError(f"missing setting {missing[0]}: set it in the environment")
    if missing:
        raise SettingsError(f"missing settings {', '.join(missing)}: set them in the environment")
    return [env[name] for name in names]


def log_level_of(env: Mapping[str, str]) -> str:
    """Return LOG_LEVEL, info if it is not set."""
    level = (env.get("LOG_LEVEL") or "info").lower()
    if level not in LOG_LEVELS:
        raise SettingsError(f"LOG_LEVEL is {level!r}: give one of {', '.join(LOG_LEVELS)}")
    return level


def baked_version() -> str:
    """Return the version that the image build wrote: a digest of the sources, so equal code has an equal version."""
    return VERSION_FILE.read_text().strip() if VERSION_FILE.exists() else "dev"
