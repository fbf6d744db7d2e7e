"""Counts the words of the texts that wait in the database: `python worker.py`.

It serves nothing and has no port. How it is doing, two files say by their age: `alive`, while it turns round
and round at all, and `ready`, while the database answers it. The probes of its pod look at them.
"""

import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

ALIVE, READY = Path("/tmp/alive"), Path("/tmp/ready")
MOST = 10
BETWEEN = 3.0  # seconds between two turns if nobody wakes it
# What another worker has taken is locked until it is done, or has died: then it waits again.
TAKE = "SELECT id, text FROM texts WHERE counts IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"


def counted(text: str) -> dict:
    """Return how many words a text has, and its commonest ones."""
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.lower())
    common = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))
    return {"total": len(words), "common": common[:MOST]}


def work(connection: psycopg.Connection) -> bool:
    """Count one text that waits, and tell whether there was one."""
    with connection.transaction():
        row = connection.execute(TAKE).fetchone()
        if row:
            number, text = row
            counts = counted(text)
            connection.execute("UPDATE texts SET counts = %s WHERE id = %s", [Jsonb(counts), number])
    if row:
        print(f"text {number}: {counts['total']} words")
    return bool(row)


def serve(connection: psycopg.Connection) -> None:
    """Work as long as the database answers."""
    connection.execute("LISTEN texts")
    while True:
        again = work(connection)
        ALIVE.touch()
        READY.touch()
        if not again:
            for _ in connection.notifies(timeout=BETWEEN, stop_after=1):
                pass


def main() -> None:
    """Connect, and connect again: a restart would not bring the database back."""
    # The first process of a container ignores SIGTERM unless it handles it. The text at hand waits again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        ALIVE.touch()
        try:
            # Where the database is, libpq reads from the environment: PGHOST, PGPASSWORD and so on.
            with psycopg.connect("", autocommit=True) as connection:
                print("waits for texts")
                serve(connection)
        except psycopg.OperationalError as error:
            print(f"words worker: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
            time.sleep(1)


if __name__ == "__main__":
    main()
