#!/usr/bin/env bash
# What a user of `stc launch` types and sees: usage, exit codes of the workers, signals.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images)

expect 2 'no command to launch' "$stc" launch --ranks 2
expect 2 'does not launch itself' "$stc" launch --ranks 2 -- launch --ranks 2
if ! "$stc" doctor | grep -q 'GPU.*NVIDIA'; then
  expect 2 'no GPU is found on this node; give --ranks N' "$stc" launch -- "${pretrain[@]}" --run.dir=run
fi

# What the workers mean by their exit codes is not restarted.
expect 2 'batch_size.*8.*3 ranks' "$stc" launch --ranks 3 --max-restarts 3 -- "${pretrain[@]}" --run.dir=run --train.steps=2
expect 3 'nowhere: no such folder' "$stc" launch --ranks 2 --max-restarts 3 -- "${pretrain[@]}" --run.dir=run --train.steps=2 \
  --data.shards=nowhere
! grep -q 'starting again' output || die 'an error that a restart does not mend was restarted'
[ ! -e run/weights.safetensors ] || die 'a run that could not start has weights'

rm -rf run
expect 0 'finished 2 steps' "$stc" launch --ranks 2 -- "${pretrain[@]}" --run.dir=run --train.steps=2
grep -q "2 ranks on cpu" run/log/rank-1.log || die "no log of rank 1"

# A signal to the launcher, and to any one rank: all save the same step and stop; the same command goes on.
stopped() {
  local signal=$1 code=$2 run=$3 launcher actual=0
  "$stc" launch --ranks 2 -- "${pretrain[@]}" --run.dir="$run" --train.steps=100000 > "$run.log" 2>&1 &
  launcher=$!
  until grep -q '"step":3,' "$run/metrics.jsonl" 2> /dev/null; do
    kill -0 "$launcher" 2> /dev/null || { cat "$run.log"; die 'the run ended by itself'; }
    sleep 0.1
  done
  if [ "$4" = launcher ]; then kill "-$signal" "$launcher"; else kill "-$signal" "$(rank_pid "$run" "$4")"; fi
  wait "$launcher" || actual=$?
  [ "$actual" -eq "$code" ] || { cat "$run.log"; die "after SIG$signal to $4: exit code $actual; expected $code"; }
  grep -q 'stopped by signal' "$run.log" || { cat "$run.log"; die "after SIG$signal to $4: not saved"; }
  [ -e "$(find "$run/checkpoints" -name MANIFEST | head -1)" ] || die 'no checkpoint'
}
stopped TERM 143 by-term launcher
stopped INT 130 by-int launcher
stopped USR1 138 by-usr1 launcher
stopped TERM 143 one-term 1
stopped USR1 138 one-usr1 0
