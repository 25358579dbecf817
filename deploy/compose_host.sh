#!/bin/sh
# The steps of deploy/upgrade.sh on a machine with compose.yaml.
set -eu
READY_SECONDS=${READY_SECONDS:-120}
# A worker that is not done by then is killed; its task runs again.
STOP_SECONDS=${STOP_SECONDS:-900}
verb=$1
shift

list() { docker compose ps --quiet "$1" | sort; }

is_ready() { # ID: healthy, or false once that is out of the question
  seconds=0
  while [ "$seconds" -lt "$READY_SECONDS" ]; do
    case $(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$1") in
      'running healthy') return 0 ;;
      'running starting') ;;
      *) return 1 ;;
    esac
    sleep 1
    seconds=$((seconds + 1))
  done
  return 1
}

start() { # VERSION SERVICE COUNT: beside those that run; prints the identifiers
  before=$(list "$2")
  # shellcheck disable=SC2086 # one word for each container
  running=$(set -- $before && echo $#)
  ARENA_VERSION=$1 docker compose up --detach --no-deps --no-build --no-recreate \
    --scale "$2=$((running + $3))" "$2" >&2
  started=$(list "$2" | grep --invert-match --line-regexp --fixed-strings "${before:-none}")
  for id in $started; do
    is_ready "$id" && continue
    docker logs --tail 20 "$id" >&2
    for failed in $started; do docker rm --force "$failed" >&2; done
    return 1
  done
  printf '%s\n' "$started"
}

case $verb in
  current)
    id=$(list web | head -n 1)
    docker inspect --format '{{.Config.Image}}' "${id:?web is not running}" | sed 's/.*://'
    ;;
  build) ARENA_VERSION=$1 docker compose build --pull migrate >&2 ;;
  migrate) ARENA_VERSION=$1 docker compose run --rm --no-deps migrate >&2 ;;
  list) list "$1" ;;
  start) start "$@" ;;
  # Without a word, to whatever is called web; a container is found by its identifier's first part.
  route)
    addresses=''
    for id in "$@"; do addresses="$addresses $(printf %.12s "$id"):8000"; done
    docker compose exec -T ${addresses:+--env "WEB=$addresses"} caddy \
      caddy reload --config /etc/caddy/Caddyfile >&2
    ;;
  stop) docker stop -t "$STOP_SECONDS" "$1" >&2 && docker rm "$1" >&2 ;;
  remember)
    if grep -q '^#*ARENA_VERSION=' .env; then
      sed -i "s/^#*ARENA_VERSION=.*/ARENA_VERSION=$1/" .env
    else
      echo "ARENA_VERSION=$1" >>.env
    fi
    ;;
  # What is new in compose.yaml starts, and what is no longer in it stops. Three images stay.
  tidy)
    docker compose up --detach --no-build --no-recreate --remove-orphans --scale "web=$1" >&2
    docker image ls crowd-arena --format '{{.Tag}}' | tail -n +4 | while read -r tag; do
      docker image rm "crowd-arena:$tag" >&2 || true # in use after all
    done
    ;;
  *)
    echo "compose_host.sh: $verb?" >&2
    exit 2
    ;;
esac
