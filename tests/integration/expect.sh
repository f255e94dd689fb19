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

# equal_runs A B STEP: two runs that finished after STEP are equal, byte for byte, but for their times.
equal_runs() {
  local file checkpoint
  checkpoint=checkpoints/$(printf 'step-%08d' "$3")
  for file in weights.safetensors "$checkpoint"/{model,method,optimizer}.safetensors; do
    cmp "$1/$file" "$2/$file" || die "$file of $1 and $2 differ"
  done
  diff <(without_times "$1") <(without_times "$2") || die "metrics of $1 and $2 differ"
}

on_ranks() {
  local ranks=$1
  shift
  mpirun -np "$ranks" --bind-to none --oversubscribe "$stc" "$@"
}

# The pid of rank R of a run that is alive: rank_pid RUN R. Another test on this machine may use the same name. Without a pipe,
# which pipefail would call failed as soon as grep ends before its writer.
rank_pid() {
  local pid
  for pid in $(pgrep -f -- "--run.dir=$1( |\$)"); do
    if [ "/proc/$pid/cwd" -ef "$work" ] && grep -qzx "PMIX_RANK=$2" "/proc/$pid/environ" 2> /dev/null; then echo "$pid"; fi
  done
}

# begin RUN COMMAND...: starts what trains in the folder RUN and logs every step, as $started, and waits for its third step.
begin() {
  local run=$1
  shift
  "$@" > "$run.log" 2>&1 &
  started=$!
  until grep -q '"step":3,' "$run/metrics.jsonl" 2> /dev/null; do
    kill -0 "$started" 2> /dev/null || { cat "$run.log"; die "$run ended before its third step"; }
    sleep 0.02
  done
}

# stopped RUN CODE SIGNAL: after SIGNAL (a name) the ranks that begin() has started save the last step that was logged and no
# other, say so, and end with CODE. Leaves that step in $step.
stopped() {
  local run=$1 code=$2 signal=$3 actual=0
  wait "$started" || actual=$?
  step=$(sed -nE "s/.*stopped by signal $(kill -l "$signal") after step ([0-9]+); run the same command again.*/\1/p" "$run.log")
  [ -n "$step" ] || { cat "$run.log"; die "$run: it was not said that SIG$signal stopped it, and at which step"; }
  [ "$actual" -eq "$code" ] || { cat "$run.log"; die "$run: exit code $actual after SIG$signal; expected $code"; }
  [ "$(ls "$run/checkpoints")" = "$(printf 'step-%08d' "$step")" ] || die "$run: step $step is not what was saved"
  [ "$(wc -l < "$run/metrics.jsonl")" -eq "$step" ] || die "$run: the metrics are not those of the saved step"
}
