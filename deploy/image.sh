#!/bin/sh
# Build the image: with Docker where it works; else with buildah, as root on a Debian, on a base
# made from Debian's own packages. IMAGE names the result, BASE an existing base image to use.
set -eu
cd "$(dirname "$0")/.."

image=${IMAGE:-crowd-arena}
made=crowd-arena-base:bookworm

if docker info >/dev/null 2>&1; then
  exec docker build ${BASE:+--build-arg "BASE=$BASE"} --tag "$image" .
fi

missing=
for program in podman buildah runc debootstrap; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
  install="apt-get -q -o DPkg::Lock::Timeout=300"
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Building needs Docker, or as root:$missing (on Debian: apt-get install$missing)" >&2
    exit 1
  fi
  echo "Installing$missing with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  $install update >/dev/null
  # shellcheck disable=SC2086 # several names
  $install install -y --no-install-recommends $missing >/dev/null
fi

# The mirror is the one this machine's apt uses; bookworm is the Debian with Python 3.11.
make_base() {
  mirror=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' \
    'Origin: Debian' 'Label: Debian' 'Component: main' | head -n 1)
  if [ -z "$mirror" ]; then
    echo "apt knows no Debian mirror here; name a base image with Python 3.11 in BASE" >&2
    exit 1
  fi
  folder=$(mktemp -d)
  trap 'rm -rf --one-file-system "$folder" "$folder.log"' EXIT # never into what may be mounted
  trap 'exit 1' HUP INT TERM
  echo "Making a base image with debootstrap"
  debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates \
    bookworm "$folder" "$mirror" >"$folder.log" 2>&1 || { tail "$folder.log" >&2; exit 1; }
  # What slim images lack: documentation, translations, bytecode, what apt and debootstrap left.
  rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* \
    "$folder"/var/log/* "$folder"/usr/share/doc/* "$folder"/usr/share/info/* \
    "$folder"/usr/share/man/* "$folder"/usr/share/locale/* "$folder"/debootstrap
  find "$folder"/usr/lib -depth -name __pycache__ -exec rm -rf {} +
  tar -C "$folder" -c . | podman import --quiet - "localhost/$made" >/dev/null
}

if [ -z "${BASE:-}" ]; then
  podman image exists "localhost/$made" || make_base
  BASE=localhost/$made
fi

before=$(podman image inspect --format '{{.Id}}' "localhost/$image" 2>/dev/null || true)
# The host's certificates and network: packages come from wherever this machine gets its own.
buildah bud --isolation chroot --network host --volume /etc/ssl/certs:/etc/ssl/certs:ro \
  --format docker --build-arg "BASE=$BASE" --tag "localhost/$image" .
after=$(podman image inspect --format '{{.Id}}' "localhost/$image")
if [ -n "$before" ] && [ "$before" != "$after" ]; then
  podman image rm "$before" >/dev/null 2>&1 || true # still in use, or named otherwise too
fi
