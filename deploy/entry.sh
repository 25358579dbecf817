#!/bin/sh
# What the image runs: one line of the Procfile, or any command of manage.py.
set -eu

# Uploads in progress go to the volume and not into memory, which a tmpfs would be.
export TMPDIR="$ARENA_VAR/tmp"
mkdir -p "$TMPDIR"
# What a killed process has left; nothing that is under way is so old.
find "$TMPDIR" -type f -mmin +360 -delete

case "${1:-web}" in
  web | ledger | boards | imports | exports | mail | beat)
    command=$(sed -n "s/^${1:-web}: //p" Procfile)
    exec /bin/sh -c "exec $command" # becomes process 1, so that SIGTERM reaches it
    ;;
  *)
    exec python3 manage.py "$@"
    ;;
esac
