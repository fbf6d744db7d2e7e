# Makes a backup: a tar of backup.json, SHA256SUMS and database.dump (pg_dump -Fc), readable with standard tools.
#   backup.sh keep KIND   into /backups, where the newest 7 of a kind stay
#   backup.sh hold        as /scratch/backup.tar, and waits to be fetched
# What is not complete never has its final name.
set -eu
umask 077
export PGHOST="$DATABASE_HOST" PGPORT="$DATABASE_PORT" PGDATABASE="$DATABASE_NAME"
export PGUSER="$DATABASE_USER" PGPASSWORD="$DATABASE_PASSWORD" PGCONNECT_TIMEOUT=10
kept=7

fill() { # FILE
  part="$(dirname "$1")/.part-$HOSTNAME"
  folder=$(mktemp -d /scratch/backup.XXXXXX)
  trap 'rm -rf "$part" "$folder"' EXIT
  psql -XqAt -v ON_ERROR_STOP=1 -v version="${VERSION:-}" > "$folder/backup.json" <<'SQL'
SELECT jsonb_pretty(jsonb_build_object('format', 1, 'database', current_database(),
  'postgres', split_part(current_setting('server_version'), ' ', 1), 'version', :'version'::text,
  'time', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
SQL
  pg_dump -Fc --compress=zstd:1 --file "$folder/database.dump"
  (cd "$folder" && sha256sum backup.json database.dump > SHA256SUMS)
  tar -C "$folder" --owner=0 --group=0 --numeric-owner -cf "$part" backup.json SHA256SUMS database.dump
  rm -rf "$folder"
  sync "$part"
  mv "$part" "$1"
}

case "$1" in
keep)
  if [ "$2" = deploy ] && [ "$(psql -XqAt -c "SELECT count(*) FROM pg_class
      WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'")" = 0 ]; then
    echo "nothing to keep: $PGDATABASE has no table yet"
    exit
  fi
  # What a pod left that was killed; one that is at work is younger.
  find /backups -maxdepth 1 -name '.part-*' -mmin +1440 -delete
  name="$2-$(date -u +%Y%m%dT%H%M%SZ).tar"
  fill "/backups/$name"
  find /backups -maxdepth 1 -name "$2-*.tar" | sort -r | tail -n "+$((kept + 1))" | xargs -r rm -f --
  echo "kept $name, $(stat -c %s "/backups/$name") bytes"
  ;;
hold)
  fill /scratch/backup.tar
  touch /scratch/ready
  exec sleep infinity
  ;;
*)
  echo "backup.sh: say keep KIND or hold" >&2
  exit 2
  ;;
esac
