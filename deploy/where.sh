# How backup.sh and restore.sh reach the parts of a site. With compose.yaml nothing has to be set.
# Elsewhere, in the environment (docs/operations.md):
#   DATABASE_IN=env   PostgreSQL's programs on this machine; they read PGHOST, PGPASSWORD and others
#   SITE_IN=env       manage.py in this folder, with the site's settings in the environment
#   ARENA_VAR         the folder of the volume, as the site sees it
# shellcheck shell=sh
: "${DATABASE_IN=docker compose exec -T database}"
: "${ARENA_VAR=/var/lib/arena}"
: "${PGUSER=arena}"
: "${PGDATABASE=arena}"

database() { # PROGRAM [ARGUMENT …]: one of PostgreSQL's own
  # shellcheck disable=SC2086 # a command and its words
  $DATABASE_IN "$@"
}

site() { # PROGRAM [ARGUMENT …]: where the site's code and its volume are
  # shellcheck disable=SC2086 # a command and its words
  $SITE_IN "$@"
}
