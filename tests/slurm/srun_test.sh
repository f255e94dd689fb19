#!/usr/bin/env bash
# srun, as docs/running.md promises: with PMIx its tasks are one world, that trains what mpirun's ranks train; without, they
# are refused. Signals by scancel, and those that srun passes on, are saved, all ranks at the same step; a rank that is killed
# ends the others, and the run goes on byte-equal.
#
#   tests/slurm/srun_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/slurm.sh"
start_slurm
srun=(srun -X --mpi=pmix -n 2)

make_frames frames 12
"$stc" pack images frames --out images
"$stc" pack videos frames --out videos
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images)
train=(train "${small_train[@]}" --data.shards=videos --losses.global_weight=0 --model.init= --clips.frame_gap=2)

expect 0 'Slurm +srun with PMIx' "$stc" doctor
expect 0 'launcher +srun: 2 ranks, 2 on this host' "${srun[@]}" "$stc" doctor
expect 1 'srun started 2 tasks.*srun --mpi=pmix' srun -n 2 "$stc" doctor
expect 2 'srun started 2 tasks.*srun --mpi=pmix' srun -n 2 "$stc" "${pretrain[@]}" --run.dir=alone --train.steps=2
[ ! -e alone ] || die 'tasks that cannot find each other left a run folder behind'
expect 0 'finished 2 steps' srun -n 1 "$stc" "${pretrain[@]}" --run.dir=one --train.steps=2

on_ranks 2 "${pretrain[@]}" --run.dir=whole --train.steps=24
expect 0 'finished 24 steps' "${srun[@]}" "$stc" "${pretrain[@]}" --run.dir=by-srun --train.steps=24
equal_runs whole by-srun 24
on_ranks 2 "${train[@]}" --run.dir=whole-train --train.steps=6
expect 0 'finished 6 steps' "${srun[@]}" "$stc" "${train[@]}" --run.dir=train-by-srun --train.steps=6
equal_runs whole-train train-by-srun 6

endless=("$stc" "${pretrain[@]}" --train.steps=100000 --checkpoint.every_steps=100000)
for case in 'scancel USR1 138' 'scancel TERM 143' 'srun USR1 138' 'srun INT 130'; do
  read -r sender signal code <<< "$case"
  run=$sender-$signal
  begin "$run" "${srun[@]}" "${endless[@]}" --run.dir="$run"
  if [ "$sender" = srun ]; then
    kill "-$signal" "$started"
  else
    scancel --signal="$signal" "$(squeue -h -o %A)"
  fi
  stopped "$run" "$code" "$signal"
  echo "SIG$signal by $sender: saved after step $step, exit code $code"
done

begin srun-TERM "${srun[@]}" "${endless[@]}" --run.dir=srun-TERM
kill -TERM "$started"
code=0
wait "$started" || code=$?
[ "$code" -eq 137 ] || die "SIGTERM to srun: exit code $code; expected 137"
[ ! -e srun-TERM/checkpoints ] || die 'SIGTERM to srun is saved: docs/running.md and `stc doctor` say it is not'

for rank in 0 1; do
  run=killed-$rank
  begin "$run" "${srun[@]}" "$stc" "${pretrain[@]}" --train.steps=24 --checkpoint.every_steps=2 --run.dir="$run"
  until compgen -G "$run/checkpoints/step-*/MANIFEST" > /dev/null; do
    kill -0 "$started" 2> /dev/null || { cat "$run.log"; die "$run ended before its first checkpoint"; }
    sleep 0.02
  done
  kill -9 "$(rank_pid "$run" "$rank")"
  code=0
  wait "$started" || code=$?
  [ "$code" -eq 137 ] || { cat "$run.log"; die "rank $rank killed: srun ended with $code; expected 137"; }
  [ -z "$(pgrep -f -- "--run.dir=$run( |\$)")" ] || die "rank $rank killed: processes are left"
  expect 0 'resuming from the checkpoint of step [0-9]+ of 24' \
    "${srun[@]}" "$stc" "${pretrain[@]}" --train.steps=24 --checkpoint.every_steps=2 --run.dir="$run"
  equal_runs whole "$run" 24
  echo "rank $rank killed: srun ended with $code, gone on with to the same bytes"
done
