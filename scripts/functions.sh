# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it: messages, the user's cache, and verified downloads that an interrupted script can resume.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/stc"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }

fail() {
  say "$*" >&2
  exit 1
}

# logged COMMAND...: runs the command with its output in a log. If it fails, shows the last lines and keeps the log.
logged() {
  local log code=0
  log=$(mktemp --suffix=.stc.log)
  "$@" > "$log" 2>&1 || code=$?
  if [ "$code" -eq 0 ]; then
    rm -f "$log"
  else
    tail -n 20 "$log" >&2
    say "the full output is in $log" >&2
  fi
  return "$code"
}

# require_space FOLDER MEGABYTES WHAT
require_space() {
  local free
  free=$(df --output=avail -B1M "$1" | tail -1 | tr -d ' ')
  [ "$free" -ge "$2" ] || fail "$3 needs $2 MB in $1, but only $free MB are free. Free some space, or set XDG_CACHE_HOME to a folder on a larger disk."
}

# require_root COMMAND: fails unless as_root can run it.
require_root() {
  [ "$(id -u)" -eq 0 ] || command -v sudo > /dev/null ||
    fail "'$1' needs root privileges. Run this script as root, or install sudo and run it again."
}

# Runs a command as root, through sudo if necessary.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# report_growth FOLDER: every ten seconds prints how much has arrived in the folder, until it is killed or the script ends.
report_growth() {
  local size reported=0
  while sleep 10 &> /dev/null && kill -0 $$ 2> /dev/null; do
    size=$(du -sm "$1" 2> /dev/null | cut -f1) || continue
    [ "$size" -gt "$reported" ] || continue
    printf '  %d MB downloaded\n' "$size"
    reported=$size
  done
}

# fetch_wheel LINE FOLDER: downloads the wheel of a line of a pip requirements file (name==version --hash=sha256:...) into FOLDER.
# The Python version and the platforms are given, so the result does not depend on the Python that happens to be installed.
# An intact wheel that is already there is kept.
fetch_wheel() {
  local line=$1 folder=$2 platform reporter code=0
  local options=(--no-deps --only-binary=:all: --no-cache-dir --disable-pip-version-check --require-hashes
                 --progress-bar off --implementation cp --python-version 311)
  for platform in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux_2_18 manylinux_2_17 manylinux2014 \
                  manylinux2010 manylinux1; do
    options+=(--platform "${platform}_x86_64")
  done
  rm -rf "$folder/.pip"
  mkdir -p "$folder/.pip"
  report_growth "$folder/.pip" 9>&- &
  reporter=$!
  logged env TMPDIR="$folder/.pip" python3 -m pip download "${options[@]}" --dest "$folder" --requirement /dev/stdin <<< "$line" || code=$?
  kill "$reporter" 2> /dev/null || true
  wait "$reporter" 2> /dev/null || true
  rm -rf "$folder/.pip"
  [ "$code" -eq 0 ] ||
    fail "cannot download ${line%% *} from the Python package index, or the file is not the expected one (see pip's output above). Check the network, or set PIP_INDEX_URL to a mirror, and run this script again: what has been downloaded is kept."
}
