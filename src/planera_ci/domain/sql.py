"""What a restore runs in its pod: shell and SQL, with names handed over as arguments, never pasted in."""

from __future__ import annotations

_CONNECT = """set -eu
export PGHOST="$DATABASE_HOST" PGPORT="${DATABASE_PORT:-5432}" PGUSER="$DATABASE_USER"
export PGPASSWORD="$DATABASE_PASSWORD" PGCONNECT_TIMEOUT=10 PGOPTIONS="-c client_min_messages=warning"
sql() { psql -XqAt -v ON_ERROR_STOP=1 -v name="$DATABASE_NAME" "$@"; }
"""
# Only what a restore of this database has named, its beginning cut off where it is long.
_LEFTOVERS = """
SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database, regexp_replace(datname, '_restore_[0-9]{8}t[0-9]{6}z$', '') AS base
WHERE base <> datname AND (base = :'name' OR (octet_length(datname) >= 60 AND starts_with(:'name', base))) \\gexec
"""
# As the database that it is to replace: its owner, its encoding, its collation.
_CREATE = """
SELECT concat_ws(' ', format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L', :'fresh',
    pg_get_userbyid(datdba), pg_encoding_to_char(encoding)),
  format('LC_COLLATE %L LC_CTYPE %L', datcollate, datctype),
  CASE datlocprovider WHEN 'i' THEN format('LOCALE_PROVIDER icu ICU_LOCALE %L', locale)
    WHEN 'b' THEN format('LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', locale) ELSE 'LOCALE_PROVIDER libc' END)
FROM pg_database d, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
WHERE datname = :'name' \\gexec
"""
# Settings and grants of the database itself are in no dump; some settings are lists, which Postgres keeps quoted.
_LIKE = """
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'fresh')
FROM pg_database WHERE datname = :'name' AND datacl IS NOT NULL \\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, :'fresh', concat(
  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END))
FROM pg_database, aclexplode(datacl) WHERE datname = :'name' \\gexec
SELECT format('ALTER %s SET %I TO %s', CASE setrole WHEN 0 THEN format('DATABASE %I', :'fresh')
    ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), :'fresh') END, key,
  CASE WHEN key = ANY (ARRAY['search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries'])
    THEN value ELSE quote_literal(value) END)
FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS setting,
  split_part(setting, '=', 1) AS key, substr(setting, strpos(setting, '=') + 1) AS value
WHERE datname = :'name' \\gexec
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'fresh', datconnlimit)
FROM pg_database WHERE datname = :'name' \\gexec
SELECT format('COMMENT ON DATABASE %I IS %L', :'fresh', shobj_description(oid, 'pg_database'))
FROM pg_database WHERE datname = :'name' \\gexec
"""
_COUNT = """
SELECT format('SELECT %L, count(*) FROM %I.%I', concat_ws('.', nullif(nspname, 'public'), relname), nspname, relname)
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1 \\gexec
"""
# The first rename locks the name against new connections; it waits some seconds for the old ones, which
# another session ends meanwhile. Nothing is committed before both names are exchanged.
_SWITCH = """
BEGIN;
ALTER DATABASE :"name" RENAME TO :"former";
ALTER DATABASE :"fresh" RENAME TO :"name";
COMMIT;
"""
# Postgres ends its own workers itself.
_END = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname IN (:'name', :'fresh') AND backend_type = 'client backend' AND pg_has_role(usesysid, 'MEMBER');
"""
_EXCHANGE = "planera-ci exchange"
_EXCHANGED = """
SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = :'exchange';
SELECT count(*) FROM pg_database WHERE datname = :'former';
"""


def database() -> tuple[str, ...]:
    """Return what prints the database's name, host and user, and whether the user may make databases."""
    query = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
    names = 'printf "%s\\n" "$DATABASE_NAME" "$DATABASE_HOST" "$DATABASE_USER"'
    return _shell(f'{names}\nsql -d "$DATABASE_NAME" -c "{query}"')


def receive(size: int) -> tuple[str, ...]:
    """Return what takes a dump from its input and prints its checksum."""
    return ("sh", "-c", f"set -e; umask 077; head -c {size} > /scratch/database.dump; sha256sum /scratch/database.dump")


def clean() -> tuple[str, ...]:
    """Return what drops the databases that restores left half made."""
    return _sql("postgres", _LEFTOVERS)


def create(fresh: str) -> tuple[str, ...]:
    """Return what makes an empty database beside the one in use."""
    return _sql("postgres", _CREATE, fresh=fresh)


def fill(fresh: str) -> tuple[str, ...]:
    """Return what restores the dump; the first error ends it."""
    return _shell('pg_restore --exit-on-error --jobs=2 --no-password -d "$1" /scratch/database.dump', fresh)


def like(fresh: str) -> tuple[str, ...]:
    """Return what gives a database the settings and grants of the one that it is to replace."""
    return _sql("postgres", _LIKE, fresh=fresh)


def analyze(fresh: str) -> tuple[str, ...]:
    """Return what gives the planner its statistics, which no dump has."""
    return _shell('sql -d "$1" -c "ANALYZE"', fresh)


def count(name: str) -> tuple[str, ...]:
    """Return what prints each table with its rows, as TABLE|ROWS."""
    return _shell(f"sql -d \"$1\" <<'SQL'\n{_COUNT}SQL", name)


def switch(fresh: str, former: str) -> tuple[str, ...]:
    """Return what exchanges the two databases: for those who connect, between one connection and the next."""
    names = '-v fresh="$1" -v former="$2"'
    script = f"""
(while :; do
sql -d postgres {names} <<'SQL' > /dev/null 2>&1 || true
{_END}
SQL
sleep 0.1; done) & ender=$!
trap 'kill $ender 2> /dev/null || true' EXIT
PGAPPNAME='{_EXCHANGE}'
export PGAPPNAME
sql -d postgres {names} <<'SQL'
{_SWITCH}SQL"""
    return _shell(script, fresh, former)


def exchanged(former: str) -> tuple[str, ...]:
    """Return what prints, at its end, 1 where the exchange was done; one that is still under way is ended first."""
    return _sql("postgres", _EXCHANGED, former=former, exchange=_EXCHANGE)


def rows(text: str) -> dict[str, int]:
    """Read what `count` printed."""
    pairs = (line.rpartition("|") for line in text.splitlines() if line.strip())
    return {name: int(number) for name, _, number in pairs}


def _sql(where: str, query: str, **names: str) -> tuple[str, ...]:
    variables = " ".join(f'-v {name}="${number}"' for number, name in enumerate(names, 1))
    return _shell(f"sql -d {where} {variables} <<'SQL'\n{query}\nSQL", *names.values())


def _shell(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", f"{_CONNECT}{script}", "sh", *words)
