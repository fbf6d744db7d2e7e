"""Settings: read once, checked at start, secrets never shown."""

import os
import subprocess
import sys

import pytest

from planera_backend.settings import Settings, SettingsError

GOOD = {
    "DATABASE_HOST": "postgres",
    "DATABASE_PORT": "5432",
    "DATABASE_NAME": "planera",
    "DATABASE_USER": "planera",
    "DATABASE_PASSWORD": "p-secret",
    "JWT_SECRET": "j-secret",
}


def test_reads_the_environment():
    """Defaults are for what is optional only."""
    settings = Settings.of(GOOD)

    assert settings.database.parameters["host"] == "postgres"
    assert settings.database.port == 5432
    assert (settings.log_level, settings.version) == ("info", "dev")


def test_previous_values_are_optional():
    """While a value is changed, the one before or after it is accepted as well; usually there is none."""
    settings = Settings.of(GOOD)
    assert (settings.jwt_accepted, settings.database.passwords) == (("j-secret",), ("p-secret",))

    both = Settings.of(GOOD | {"JWT_SECRET_PREVIOUS": "j-old", "DATABASE_PASSWORD_PREVIOUS": "p-old"})
    assert (both.jwt_accepted, both.database.passwords) == (("j-secret", "j-old"), ("p-secret", "p-old"))
    assert "-old" not in repr(both)


def test_secrets_do_not_show():
    """A settings object in a log line gives nothing away."""
    assert "secret" not in repr(Settings.of(GOOD))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"DATABASE_PASSWORD": ""}, "missing setting DATABASE_PASSWORD: set it in the environment"),
        (
            {"JWT_SECRET": "", "DATABASE_HOST": ""},
            "missing settings DATABASE_HOST, JWT_SECRET: set them in the environment",
        ),
        ({"DATABASE_PORT": "http"}, "DATABASE_PORT is 'http': give a port number"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud': give one of debug, info, warning, error"),
    ],
)
def test_wrong_settings_are_named(change, message):
    """Each mistake is one sentence with its remedy."""
    with pytest.raises(SettingsError) as caught:
        Settings.of(GOOD | change)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("module", "who"), [("planera_backend", "planera backend"), ("planera_backend.migrate", "planera migrate")]
)
def test_a_missing_setting_ends_the_process(module, who):
    """Exit code 1 and one line, before anything else happens."""
    env = {k: v for k, v in os.environ.items() if k not in GOOD} | GOOD
    del env["DATABASE_PASSWORD"]

    ended = subprocess.run([sys.executable, "-m", module], env=env, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 1
    assert ended.stderr == f"{who}: missing setting DATABASE_PASSWORD: set it in the environment\n"
