# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it: messages, the user's cache, and a download that is checked and can be taken up again.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/stc"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }

fail() {
  say "$*" >&2
  exit 1
}

# require_space FOLDER MEGABYTES WHAT
require_space() {
  local free
  free=$(df --output=avail -B1M "$1" | tail -1 | tr -d ' ')
  [ "$free" -ge "$2" ] || fail "$3 needs $2 MB in $1, and $free MB are free. Make room, or set XDG_CACHE_HOME to a folder on a larger disk."
}

# As root, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    fail "'$*' needs root. Run it as root, or install sudo, and start again."
  fi
}

# fetch_wheel LINE FOLDER: a line of a pip requirements file (name==version --hash=sha256:...), as a file below FOLDER.
# The Python version and the platforms are named, so the result does not depend on the Python that happens to be installed.
# A wheel that is there already and whole is kept.
fetch_wheel() {
  local line=$1 folder=$2 platform
  local options=(--no-deps --only-binary=:all: --no-cache-dir --disable-pip-version-check --require-hashes
                 --implementation cp --python-version 311)
  for platform in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux_2_18 manylinux_2_17 manylinux2014 \
                  manylinux2010 manylinux1; do
    options+=(--platform "${platform}_x86_64")
  done
  python3 -m pip download "${options[@]}" --dest "$folder" --requirement /dev/stdin <<< "$line" ||
    fail "${line%% *} could not be had from the Python package index, or is not the file that was expected (pip's message is above). Check the network, or set PIP_INDEX_URL to a mirror, and start again: what was fetched is kept."
}
