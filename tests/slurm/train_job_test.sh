#!/usr/bin/env bash
# slurm/train.sbatch where its time is too short: the job is signalled, saves, puts itself back into the queue and goes on, and
# ends with the bytes of a run that was left alone. A job that is cancelled leaves a whole checkpoint and no process.
#
#   tests/slurm/train_job_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/slurm.sh"
start_slurm
export STC=$stc
ln -s "$repository/slurm" slurm
make_frames frames 12
"$stc" pack images frames --out images
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --checkpoint.every_steps=100000)

# One that may go on as long as it likes, and so is cancelled.
job=$(sbatch --parsable --ntasks=2 --output=cancelled.log slurm/train.sbatch "${pretrain[@]}" --train.steps=100000 --run.dir=cancelled)
until grep -q '"step":3,' cancelled/metrics.jsonl 2> /dev/null; do
  [[ $(state "$job") =~ PENDING|RUNNING ]] || { cat cancelled.log; die 'the job ended before its third step'; }
  sleep 0.1
done
scancel "$job"
ended "$job" CANCELLED cancelled.log
saved=$(printf 'cancelled/checkpoints/step-%08d/MANIFEST' "$(wc -l < cancelled/metrics.jsonl)")
[ -e "$saved" ] || { cat cancelled.log; die "a cancelled job left no checkpoint of its last step: no $saved"; }
[ -z "$(pgrep -f -- '--run.dir=cancelled( |$)')" ] || die 'a cancelled job left processes'

# Where Slurm has no PMIx, mpirun takes its place.
mkdir without-pmix
printf '#!/bin/sh\necho none\n' > without-pmix/srun
chmod +x without-pmix/srun
job=$(PATH=$work/without-pmix:$PATH sbatch --parsable --ntasks=2 --output=mpirun.log slurm/train.sbatch "${pretrain[@]}" --train.steps=30 \
  --run.dir=by-mpirun)
ended "$job" COMPLETED mpirun.log
grep -q '2 ranks on cpu' mpirun.log || { cat mpirun.log; die 'mpirun did not start two ranks'; }

# A run of 75 seconds in jobs of two minutes that are signalled a minute before that. Slurm looks at time limits twice a minute,
# so the signal comes 30 to 60 s after the start. Submitted from another folder, and read from the node's disk.
milliseconds=$(tail -n 20 by-mpirun/metrics.jsonl | sed -E 's/.*"seconds":([^,]*),.*/\1/' |
  awk '{ sum += $1 } END { print int(1000 * sum / NR) + 1 }')
steps=$((75000 / milliseconds))
mkdir elsewhere node-disk
cd elsewhere
job=$(TMPDIR=$work/node-disk STC_STAGE=1 "$stc" slurm submit "${pretrain[@]}" --data.shards=../images --run.dir=../short \
  --train.steps="$steps" --ntasks-per-node 2 --time 2 -- --parsable --output=../short.log --signal=B:USR1@60 | tail -n 1)
cd ..
ended "$job" COMPLETED short.log
cat short.log
[ "$(grep -c 'stopped by signal 10 after step' short.log)" -ge 1 ] || die 'the job was not signalled before its time was over'
grep -q "images: copied to $work/node-disk/stc-$job, " short.log || die 'the data set was not copied to the disk of the node'
[ -z "$(ls node-disk)" ] || die 'the copy of the data set is still on the disk of the node'
on_ranks 2 "${pretrain[@]}" --run.dir=whole --train.steps="$steps"
equal_runs whole short "$steps"
echo "$steps steps in $(($(grep -c 'resuming from' short.log) + 1)) jobs: equal to one that was left alone"
