#!/usr/bin/env bash
# Runs the steps of the Containerfile in a clean Debian root (mmdebstrap), then `stc doctor` in it: shows that the steps work and
# that scripts/setup.sh installs everything a minimal Debian lacks. Needs root, and network access to a Debian mirror and PyPI.
#
#   scripts/container-check.sh [--steps N] FOLDER      FOLDER must not exist; it takes 8 GB and is kept. --steps: first N RUN lines only
#
# Name resolution, certificates, proxies and pip's index are copied from this system.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/functions.sh

steps=1000
if [ "${1:-}" = --steps ]; then steps=$2 && shift 2; fi
root=${1:-}
[ -n "$root" ] && [ ! -e "$root" ] || fail "expected a folder that does not exist yet, for example: scripts/container-check.sh /var/tmp/root"
[ "$(id -u)" -eq 0 ] || fail 'creating a root file system needs root privileges; run this script as root'
command -v mmdebstrap > /dev/null || fail 'mmdebstrap is not installed; run apt-get install mmdebstrap'
require_space "$(dirname "$root")" 8000 "$root"

environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
folder=/

copy_network_settings() {
  local path name
  for path in /etc/resolv.conf /etc/pip.conf /usr/local/share/ca-certificates; do
    if [ -e "$path" ]; then mkdir -p "$root/${path%/*}" && cp -rL "$path" "$root${path%/*}/"; fi
  done
  for name in http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT; do
    if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
  done
}

in_root() { env -i "${environment[@]}" chroot "$root" /bin/sh -c "cd $folder && $1"; }

# Only the instructions that the Containerfile uses are supported.
while read -r instruction arguments <&3; do
  case $instruction in
    '' | '#'*) ;;
    FROM)
      say "$arguments"
      [ "$arguments" = docker.io/library/debian:12 ] || fail "FROM $arguments: this script supports Debian 12 only"
      mmdebstrap --quiet --variant=minbase bookworm "$root"
      copy_network_settings
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
      [ "$arguments" = '. .' ] || fail "COPY $arguments: this script supports only 'COPY . .'"
      git ls-files -z | tar -c --null -T - | tar -x --no-same-owner -C "$root$folder"
      ;;
    RUN)
      [ "$((steps--))" -gt 0 ] || { say "stopped before '$arguments'"; exit 0; }
      say "$arguments (after $SECONDS s)"
      in_root "$arguments"
      ;;
    ENTRYPOINT)
      program=$(sed 's/[]["]//g' <<< "$arguments")
      in_root "$program doctor"
      say "finished in $SECONDS s"
      ;;
    *) fail "Containerfile: this script does not support $instruction" ;;
  esac
done 3< Containerfile
