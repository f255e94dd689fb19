#!/usr/bin/env bash
# Signals to a bare mpirun, as docs/running.md promises: SIGUSR1 is passed on and saved (138); SIGTERM is saved where Open MPI
# leaves the ranks time for it.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images

# stopped SIGNAL CODE [OPTION OF MPIRUN...]
stopped() {
  local signal=$1 code=$2 run="run-$1" actual=0 pid
  shift 2
  mpirun -np 2 --bind-to none --oversubscribe "$@" "$stc" pretrain "${small_pretrain[@]}" --data.shards=images \
    --run.dir="$run" --train.steps=100000 > "$run.log" 2>&1 &
  pid=$!
  until grep -q '"step":3,' "$run/metrics.jsonl" 2> /dev/null; do
    kill -0 "$pid" 2> /dev/null || { cat "$run.log"; die 'the run ended by itself'; }
    sleep 0.1
  done
  kill "-$signal" "$pid"
  wait "$pid" || actual=$?
  [ "$actual" -eq "$code" ] || { cat "$run.log"; die "SIG$signal to mpirun: exit code $actual; expected $code"; }
  grep -q 'stopped by signal' "$run.log" || { cat "$run.log"; die "SIG$signal to mpirun: not saved"; }
  # The step that was saved is the last that was logged.
  [ -e "$(printf '%s/checkpoints/step-%08d/MANIFEST' "$run" "$(wc -l < "$run/metrics.jsonl")")" ] ||
    die "SIG$signal to mpirun: no checkpoint of the last step"
}
stopped USR1 138
stopped TERM 1 --mca odls_base_sigkill_timeout 10
