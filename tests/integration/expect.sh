# Sourced by the tests beside it: a folder of the test's own, pictures to work on, and what a command should do.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

stc=$(realpath "$1")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

die() {
  echo "FAILED: $*" >&2
  exit 1
}

# expect CODE TEXT COMMAND...: the command ends with that exit code, and says TEXT (an extended regular expression) in one
# line. Its output is in $work/output.
expect() {
  local code=$1 text=$2 actual=0
  shift 2
  "$@" > "$work/output" 2>&1 || actual=$?
  if [ "$actual" -ne "$code" ] || ! grep -Eq "$text" "$work/output"; then
    cat "$work/output" >&2
    die "'$*' ended with $actual; expected $code and a line like: $text"
  fi
}

# Moving pictures, all different: make_frames FOLDER COUNT, as JPEGs.
make_frames() {
  mkdir -p "$1"
  ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=160x120:rate=10 -frames:v "$2" -q:v 2 "$1/%03d.jpg"
}

# The demo's configurations, made so small that a step takes a fraction of a second.
small_pretrain=(--config "$repository/configs/demo/pretrain.toml" --images.size=32 --train.batch_size=8
                --contrastive.queue_size=64 --train.log_every=1 --metrics.port=off --run.threads=1)
small_train=(--config "$repository/configs/demo/train.toml" --clips.size=64 --train.batch_size=2 --train.log_every=1
             --metrics.port=off --run.threads=1)

# metrics.jsonl of a run without what may differ between equal runs.
without_times() { sed -E 's/"(seconds|data_wait_seconds)":[^,}]*,?//g' "$1/metrics.jsonl"; }

on_ranks() {
  local ranks=$1
  shift
  mpirun -np "$ranks" --bind-to none --oversubscribe "$stc" "$@"
}

# The pid of rank R of a run that is alive: rank_pid RUN R.
rank_pid() {
  local pid
  for pid in $(pgrep -f -- "--run.dir=$1( |\$)"); do
    if tr '\0' '\n' 2> /dev/null < "/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$2"; then echo "$pid"; fi
  done
}
