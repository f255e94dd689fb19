#!/usr/bin/env bash
# A signal to any one of two ranks: all save the same step and stop with 128 + signal, and the same command ends with the bytes
# of a run that was left alone.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=24 --checkpoint.every_steps=1000)
on_ranks 2 "${pretrain[@]}" --run.dir=whole

for case in '1 TERM 143' '1 USR1 138' '0 USR1 138'; do
  read -r rank signal code <<< "$case"
  run=rank-$rank-$signal
  begin "$run" on_ranks 2 "${pretrain[@]}" --run.dir="$run"
  kill "-$signal" "$(rank_pid "$run" "$rank")"
  stopped "$run" "$code" "$signal"
  [ "$step" -lt 24 ] || die 'the run was over before it was stopped'

  expect 0 "resuming from the checkpoint of step $step of 24" on_ranks 2 "${pretrain[@]}" --run.dir="$run"
  equal_runs whole "$run" 24
done
