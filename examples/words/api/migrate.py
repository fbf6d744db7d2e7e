"""Bring the database to this version's schema: `python migrate.py`. Twice, or twice at once, is safe."""

import sys
import time
from pathlib import Path

import psycopg

WAIT = 60  # seconds
LOCK = 0x776F7264  # any number, the same in every run: "word"


def main() -> int:
    """Wait for the database, if it is not up yet, and apply the schema in one transaction."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            with psycopg.connect("") as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                connection.execute(Path(__file__).with_name("schema.sql").read_bytes())
                print("the schema is in place")
                return 0
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline or "authentication failed" in str(error):
                print(f"words migrate: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
                return 1
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
