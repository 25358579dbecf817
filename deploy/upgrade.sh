#!/bin/sh
# Upgrades a site in use: sh deploy/upgrade.sh VERSION   (in a checkout of that version)
#
# The database is migrated from the new image while the release before serves. Then web is replaced:
# the new one starts beside the old, gets all requests once it is healthy, and only then the old one
# is stopped. Workers finish what they are at while their successors take the rest. A step that fails
# leaves the site serving, ends with exit code 1 and says what runs; running this again goes on.
#
# STEPS is what does each step: deploy/compose_host.sh, or another with the same words.
set -eu
cd "$(dirname "$0")/.."
: "${STEPS=sh deploy/compose_host.sh}"
WORKERS='ledger boards imports exports mail'

step() {
  # shellcheck disable=SC2086 # a command and its words
  $STEPS "$@"
}

say() { printf 'upgrade: %s\n' "$*" >&2; }

fail() {
  say "FAILED: $*"
  exit 1
}

new=${1:?the version to run, which becomes the tag of its image}
old=$(step current) || fail "nothing is served that could be upgraded"

say "building $new"
step build "$new" || fail "no image of $new. The site serves $old as before."
say "migrating, while $old serves"
step migrate "$new" || fail "a migration of $new. The site serves $old as before."

say "starting web"
before=$(step list web)
# shellcheck disable=SC2086 # one word for each container
count=$(set -- $before && echo $#)
started=$(step start "$new" web "$count") ||
  fail "web of $new does not get healthy. The site serves $old as before; what $new has migrated suits $old."
# shellcheck disable=SC2086
step route $started || fail "requests cannot be sent to the new web; both are running: run this again."
step remember "$new"
for id in $before; do step stop "$id"; done
step route

for name in $WORKERS; do
  before=$(step list "$name")
  say "replacing $name"
  if step start "$new" "$name" 1 >/dev/null; then
    for id in $before; do step stop "$id" & done
  else
    failed="${failed:-} $name"
  fi
done
# Two of them would send every task twice.
for id in $(step list beat); do step stop "$id"; done
step start "$new" beat 1 >/dev/null || failed="${failed:-} beat"
say "waiting for workers to finish what they are at"
wait
step tidy "$count"
[ -z "${failed:-}" ] || fail "web serves $new, but these did not get healthy and run as before:$failed"
say "$new serves"
