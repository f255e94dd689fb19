#!/usr/bin/env bash
# slurm/sweep.sbatch: the tasks of an array make the table that `stc sweep` makes alone; a task that is told that its time is over
# puts itself alone back into the queue, and the table is the same.
#
#   tests/slurm/sweep_job_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/slurm.sh"
start_slurm
export STC=$stc
ln -s "$repository/slurm" slurm
make_frames frames 16
"$stc" synthesize frames --out clips --clips 4 --frames 5 --height 96 --width 128
plan() { # OUT
  cat << TOML
out = "$1"
depth = 18
weights = ["random:1", "random:2"]
[[benchmark]]
name = "davis"
data = "clips"
[propagation]
short_side = 96
half_window = 3
top_k = [1, 5]
TOML
}
for name in alone array signalled; do plan $name > $name.toml; done
"$stc" sweep alone.toml > alone.txt

job=$(sbatch --parsable --array=5-6 --output=array-%a.log slurm/sweep.sbatch array.toml)
for task in 5 6; do ended "${job}_$task" COMPLETED "array-$task.log"; done
cmp alone/sweep.csv array/sweep.csv || die 'an array of two tasks gives another table'
for task in 5 6; do
  [ "$(grep -c '^clip-.* frames, ' "array-$task.log")" -eq 4 ] || die "the tasks did not share the clips: $(cat array-*.log)"
done

job=$(sbatch --parsable --array=0-1 --output=signalled-%a.log slurm/sweep.sbatch signalled.toml)
until grep -q 'features are computed for' signalled-1.log 2> /dev/null; do
  [[ $(state "${job}_1") =~ PENDING|RUNNING ]] || die "task 1 ended before it could be signalled: $(cat signalled-1.log)"
  sleep 0.02
done
scancel --batch --signal=USR1 "${job}_1"
for task in 0 1; do ended "${job}_$task" COMPLETED "signalled-$task.log"; done
grep -q "job ${job}_1 is close to its time limit; it is requeued" signalled-1.log || die "task 1 was not signalled in time: $(cat signalled-1.log)"
[ "$(restarts "${job}_0") $(restarts "${job}_1")" = '0 1' ] || die 'not task 1 alone was put back into the queue'
cmp alone/sweep.csv signalled/sweep.csv || die 'a task that was requeued gives another table'

job=$(sbatch --parsable --output=single.log slurm/sweep.sbatch array.toml)
ended "$job" FAILED single.log
grep -q 'this job is not an array; pass --array=0-15 to sbatch' single.log || die 'a job that is not an array is not refused'
job=$(sbatch --parsable --array=0,2 --output=gaps-%a.log slurm/sweep.sbatch array.toml)
ended "${job}_2" FAILED gaps-2.log
grep -q '2 tasks from 0 to 2 are not consecutive; pass --array=0-15 to sbatch' gaps-2.log || die 'an array with gaps is not refused'
