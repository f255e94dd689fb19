#!/usr/bin/env bash
# Builds what the Containerfile says in a clean Debian root (mmdebstrap), and runs `stc doctor` in it: shows that its steps
# work, and that scripts/setup.sh names all that a bare Debian lacks. Needs root, and the network for Debian's mirror and PyPI.
#
#   scripts/container-check.sh [--steps N] FOLDER      a new folder, 8 GB; it is left there. Only the first N RUN lines with --steps
#
# Name resolution, certificates, proxies and pip's index are taken over from here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/functions.sh

steps=1000
if [ "${1:-}" = --steps ]; then steps=$2 && shift 2; fi
root=${1:-}
[ -n "$root" ] && [ ! -e "$root" ] || fail "expected a folder that is not there yet: scripts/container-check.sh /var/tmp/root"
[ "$(id -u)" -eq 0 ] || fail 'making a root file system needs root'
command -v mmdebstrap > /dev/null || fail 'mmdebstrap is not installed (Debian: mmdebstrap)'
require_space "$(dirname "$root")" 8000 "$root"

environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
folder=/

take_over_network() {
  local path name
  for path in /etc/resolv.conf /etc/pip.conf /usr/local/share/ca-certificates; do
    if [ -e "$path" ]; then mkdir -p "$root/${path%/*}" && cp -rL "$path" "$root${path%/*}/"; fi
  done
  for name in http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT; do
    if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
  done
}

in_root() { env -i "${environment[@]}" chroot "$root" /bin/sh -c "cd $folder && $1"; }

# The instructions that the Containerfile uses, and no others.
while read -r instruction arguments <&3; do
  case $instruction in
    '' | '#'*) ;;
    FROM)
      say "$arguments"
      [ "$arguments" = docker.io/library/debian:12 ] || fail "this script makes Debian 12 only, not $arguments"
      mmdebstrap --quiet --variant=minbase bookworm "$root"
      take_over_network
      mount --bind /dev "$root/dev"
      mount -t proc proc "$root/proc"
      trap 'umount "$root/dev" "$root/proc" 2> /dev/null || true' EXIT
      ;;
    ENV)
      read -ra words <<< "$arguments"
      environment+=("${words[@]}")
      ;;
    WORKDIR)
      folder=$arguments
      mkdir -p "$root$folder"
      ;;
    COPY)
      [ "$arguments" = '. .' ] || fail "COPY $arguments: only 'COPY . .' is known here"
      git ls-files -z | tar -c --null -T - | tar -x --no-same-owner -C "$root$folder"
      ;;
    RUN)
      [ "$((steps--))" -gt 0 ] || { say "stopped before: $arguments"; exit 0; }
      say "$arguments (after $SECONDS s)"
      in_root "$arguments"
      ;;
    ENTRYPOINT)
      program=$(sed 's/[]["]//g' <<< "$arguments")
      in_root "$program doctor"
      say "built in $SECONDS s"
      ;;
    *) fail "Containerfile: $instruction is not known here" ;;
  esac
done 3< Containerfile
