#!/bin/sh
# What went wrong in all containers: deploy/errors.sh --since 1h (options of `docker compose logs`).
# A container whose main process ran out of memory leaves no line; Docker knows of it.
set -eu
cd "$(dirname "$0")/.."

ended='{{if or .State.OOMKilled .RestartCount}}{{slice .Name 1}} | started again {{.RestartCount}} '
ended="$ended"'times, last exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}{{end}}'
{
  docker compose ps --all --quiet | xargs --no-run-if-empty docker inspect --format "$ended"
  docker compose logs --no-color "$@"
} | docker compose run --rm --no-deps -T --entrypoint python3 web deploy/errors.py
