#!/bin/sh
# What the image runs: one line of the Procfile, a whole site in one container, or any command of
# manage.py.
set -eu

# Whatever user this is, its group is 0, and another one may come after it.
umask 0007
# Uploads in progress go to the volume and not into memory, which a tmpfs would be.
export TMPDIR="$ARENA_VAR/tmp"
mkdir -p "$TMPDIR"
# What a killed process has left; nothing that is under way is so old.
find "$TMPDIR" -type f -mmin +360 -delete

# The key of a site that is given none is made once and stays in the volume.
keep_key() {
  file="$ARENA_VAR/secret-key"
  if [ ! -s "$file" ]; then
    python3 -c 'import secrets; print(secrets.token_urlsafe(50))' > "$file.new"
    mv "$file.new" "$file"
  fi
  SECRET_KEY=$(cat "$file")
  export SECRET_KEY
}

case "${1:-site}" in
  site)
    [ -n "${SECRET_KEY:-}${SECRET_KEY_FILE:-}" ] || keep_key
    # On one's own machine; behind a proxy with HTTPS set it to 1. The supervisor's lines are JSON too.
    export HTTPS="${HTTPS:-0}" WEB_WORKERS="${WEB_WORKERS:-1}" WEB_THREADS="${WEB_THREADS:-8}"
    export LOG_JSON="${LOG_JSON:-1}"
    then="python3 manage.py announce --foreground"
    python3 deploy/before_migrating.py
    python3 manage.py migrate --no-input --verbosity 0
    if [ "${DEMO:-0}" = 1 ]; then
      then="python3 manage.py sample_event"
      $then > /dev/null # its logins are printed when they can be used
    fi
    exec python3 serve.py --procfile deploy/Procfile.one --keep-running --then "$then"
    ;;
  web | ledger | boards | imports | exports | mail | beat)
    command=$(sed -n "s/^$1: //p" Procfile)
    exec /bin/sh -c "exec $command" # becomes process 1, so that SIGTERM reaches it
    ;;
  *)
    exec python3 manage.py "$@"
    ;;
esac
