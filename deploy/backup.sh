#!/bin/sh
# Backs up a site in use: sh deploy/backup.sh [FOLDER]   (default: backups)
#
# Makes FOLDER/YYYY-MM-DDTHHMMSSZ with the dump, the files, the erasures, and the state to compare a
# restore with. The folder gets its name once all of it is there and readable; whatever fails or is
# killed before leaves the earlier ones as they were. Keeps the newest KEEP (14).
set -eu
umask 077
cd "$(dirname "$0")/.."
: "${SITE_IN=docker compose exec -T web}"
. deploy/where.sh

folder=${1:-backups}
keep=${KEEP:-14}
mkdir -p "$folder"
# Drafts that a killed run has left; one of a run that is still going on is younger.
find "$folder" -maxdepth 1 -name '.draft.*' -mmin +"${DRAFT_MINUTES:-1440}" -exec rm -rf {} +
draft=$(mktemp -d "$folder/.draft.XXXXXX")
trap 'rm -rf "$draft"' EXIT
trap 'exit 1' HUP INT TERM

say() { printf 'backup: %s\n' "$*" >&2; }

fail() {
  say "FAILED: $*. Earlier backups are as they were."
  exit 1
}

# The state comes first: what is judged meanwhile is in the dump too, and nothing is missed.
site python3 manage.py describe_state >"$draft/state.json" || fail "the site did not describe itself"
database pg_dump --username "$PGUSER" --format custom "$PGDATABASE" >"$draft/arena.dump" || fail "pg_dump"
# Its contents, then every row of it: a dump that was cut off ends with an error here.
database pg_restore --list <"$draft/arena.dump" >"$draft/contents" || fail "the dump cannot be read"
grep -q 'TABLE DATA public judging_judgment ' "$draft/contents" || fail "the dump has no judgments"
database pg_restore --file /dev/null <"$draft/arena.dump" || fail "the dump is damaged"
rm "$draft/contents"
# A file that is deleted meanwhile (an import that is done) is a warning of tar's: exit code 1.
# shellcheck disable=SC2016 # for the shell there
site sh -c 'cd "$0" && mkdir -p uploads && tar --create uploads' "$ARENA_VAR" >"$draft/files.tar" ||
  [ $? -eq 1 ] || fail "the files of the volume"
tar --list --file "$draft/files.tar" >/dev/null || fail "the archive of the files is damaged"
site python3 manage.py list_erasures >"$draft/erasures.json" || fail "the list of erasures"

sync
name=$(date -u +%Y-%m-%dT%H%M%SZ)
mv "$draft" "$folder/$name" || fail "the folder cannot be renamed"
say "$folder/$name: $(du -sh "$folder/$name" | cut -f1)"

# Names are times, so that their order is their age.
find "$folder" -maxdepth 1 -name '20??-??-??T??????Z' | sort -r | tail -n "+$((keep + 1))" |
  while IFS= read -r old; do rm -rf "$old"; done
