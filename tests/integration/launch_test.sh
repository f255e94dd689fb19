#!/usr/bin/env bash
# What a user of `stc launch` types and sees: usage, exit codes of the workers, signals.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images)

expect 2 'no command to launch' "$stc" launch --ranks 2
expect 2 'cannot launch itself' "$stc" launch --ranks 2 -- launch --ranks 2
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

# A signal to the launcher, and to any one rank: all save the same step and stop.
launch=("$stc" launch --ranks 2 -- "${pretrain[@]}" --train.steps=100000 --checkpoint.every_steps=100000)
for case in 'TERM 143' 'INT 130' 'USR1 138'; do
  read -r signal code <<< "$case"
  begin "launcher-$signal" "${launch[@]}" --run.dir="launcher-$signal"
  kill "-$signal" "$started"
  stopped "launcher-$signal" "$code" USR1  # which is what it passes on
done
for case in '1 TERM 143' '0 USR1 138'; do
  read -r rank signal code <<< "$case"
  run=rank-$rank-$signal
  begin "$run" "${launch[@]}" --run.dir="$run"
  kill "-$signal" "$(rank_pid "$run" "$rank")"
  stopped "$run" "$code" "$signal"
done
