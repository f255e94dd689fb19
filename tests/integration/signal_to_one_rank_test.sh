#!/usr/bin/env bash
# A signal to any one of two ranks: all save the same step and stop with 128 + signal, and the same command ends with the bytes
# of a run that was left alone.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=24 --checkpoint.every_steps=1000)
on_ranks 2 "${pretrain[@]}" --run.dir=whole

for case in '1 TERM 15' '1 USR1 10' '0 USR1 10'; do
  read -r rank name number <<< "$case"
  run=rank-$rank-$name
  on_ranks 2 "${pretrain[@]}" --run.dir="$run" > "$run.log" 2>&1 &
  group=$!
  until grep -q '"step":3,' "$run/metrics.jsonl" 2> /dev/null; do
    kill -0 "$group" 2> /dev/null || { cat "$run.log"; die 'the run ended before its third step'; }
  done
  kill "-$name" "$(rank_pid "$run" "$rank")"
  code=0
  wait "$group" || code=$?
  [ "$code" -eq $((128 + number)) ] || { cat "$run.log"; die "SIG$name to rank $rank ended with $code"; }
  step=$(sed -nE "s/.*stopped by signal $number after step ([0-9]+); run the same command again.*/\1/p" "$run.log")
  [ -n "$step" ] || { cat "$run.log"; die 'it was not said at which step the run stopped'; }
  [ "$step" -lt 24 ] || die 'the run was over before it was stopped'
  [ "$(ls "$run/checkpoints")" = "$(printf 'step-%08d' "$step")" ] || die "step $step is not what was saved"
  [ "$(wc -l < "$run/metrics.jsonl")" -eq "$step" ] || die 'the metrics are not those of the saved step'

  expect 0 "going on from the checkpoint of step $step of 24" on_ranks 2 "${pretrain[@]}" --run.dir="$run"
  cmp whole/weights.safetensors "$run/weights.safetensors" || die "SIG$name to rank $rank: weights differ"
  for file in method optimizer; do
    cmp {whole,"$run"}"/checkpoints/step-00000024/$file.safetensors" || die "SIG$name to rank $rank: $file differs"
  done
  diff <(without_times whole) <(without_times "$run") || die "SIG$name to rank $rank: metrics differ"
done
