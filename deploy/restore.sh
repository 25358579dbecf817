#!/bin/sh
# Restores a backup: sh deploy/restore.sh FOLDER/YYYY-MM-DDTHHMMSSZ
#
# Into the site's own database, which has to be empty (--replace: whatever it holds is dropped), or
# with --drill into another one, which is dropped again: the site goes on undisturbed. Either way
# ledgers, boards and bundles are compared with what was backed up, and erasures are repeated.
set -eu
cd "$(dirname "$0")/.."
# No process of the site needs to run.
: "${SITE_IN=docker compose run --rm -T --no-deps --entrypoint env web}"
. deploy/where.sh

drill='' replace=''
while :; do
  case ${1:-} in
    --drill) drill=yes ;;
    --replace) replace=yes ;;
    *) break ;;
  esac
  shift
done
backup=${1:?the folder of one backup}
[ -f "$backup/arena.dump" ] || { echo "restore: no backup in $backup" >&2; exit 2; }
name=$PGDATABASE${drill:+_drill}

has_tables() {
  count=$(database psql --username "$PGUSER" --dbname "$name" --no-psqlrc --tuples-only --no-align \
    --command "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'" 2>/dev/null) || return 1
  [ "$count" -gt 0 ]
}

drop() { database dropdb --username "$PGUSER" --force --if-exists "$name"; }

manage() { # as the site, but on the restored database
  # shellcheck disable=SC2016 # for the shell there
  site sh -c '
    name=$1; shift
    address=${DATABASE_URL%%\?*}
    DATABASE_URL=${address%/*}/$name${DATABASE_URL#"$address"}
    export DATABASE_URL
    exec python3 manage.py "$@"' sh "$name" "$@"
}

if [ -z "$drill$replace" ] && has_tables; then
  echo "restore: $name holds tables; --replace drops them, --drill leaves them alone" >&2
  exit 2
fi
[ -z "$drill" ] || trap drop EXIT
drop
database createdb --username "$PGUSER" "$name"
database pg_restore --username "$PGUSER" --dbname "$name" --no-owner --exit-on-error <"$backup/arena.dump"
[ -n "$drill" ] || site tar --directory "$ARENA_VAR" --extract <"$backup/files.tar"
manage migrate --no-input --verbosity 0
cat "$backup/state.json" "$backup/erasures.json" | manage restore_drill -
