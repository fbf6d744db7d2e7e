#!/bin/bash
# Starts PostgreSQL as the public image does: makes the cluster in PGDATA at the first start, from
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD (or the file
# that NAME_FILE names) and /docker-entrypoint-initdb.d, and runs as user postgres whoever starts it.
set -euo pipefail

from_file() {
    local name=$1 file="${1}_FILE"
    if [ -n "${!file:-}" ]; then
        [ -z "${!name:-}" ] || { echo "error: both $name and $file are set" >&2; exit 1; }
        export "$name=$(< "${!file}")"
        unset "$file"
    fi
}

first_start() {
    from_file POSTGRES_USER; from_file POSTGRES_PASSWORD; from_file POSTGRES_DB; from_file POSTGRES_INITDB_ARGS
    local user=${POSTGRES_USER:-postgres} method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    local database=${POSTGRES_DB:-$user} file
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
        echo "error: set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust for a database without one" >&2
        exit 1
    fi
    # shellcheck disable=SC2086  # the variable holds several arguments
    initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}") \
        --encoding=UTF8 --locale=C.UTF-8 ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
    # reached by its socket alone until everything is there, so that no client sees half of it
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    local sql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$user")
    if [ "$database" != postgres ]; then
        "${sql[@]}" --dbname postgres --set database="$database" <<< 'CREATE DATABASE :"database";'
    fi
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sql) "${sql[@]}" --dbname "$database" -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | "${sql[@]}" --dbname "$database" ;;
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
if [ "$1" = postgres ]; then
    mkdir -p "$PGDATA"
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres:postgres "$PGDATA" /var/run/postgresql
        exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
    fi
    chmod 0700 "$PGDATA" 2>/dev/null || true
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        first_start
    fi
    set -- "$@" -c listen_addresses='*'
fi
exec "$@"
