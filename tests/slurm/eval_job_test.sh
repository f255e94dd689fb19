#!/usr/bin/env bash
# slurm/eval.sbatch on two tasks gives the tables of one, also where the job is told that its time is over and goes on later, and
# then evaluates no clip twice.
#
#   tests/slurm/eval_job_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/slurm.sh"
start_slurm
export STC=$stc
ln -s "$repository/slurm" slurm
make_frames frames 16
"$stc" synthesize frames --out clips --clips 6 --frames 8 --height 96 --width 128
evaluate=(davis --data clips --weights random:5 --depth 18 --short-side 96 --half-window 3)
same_tables() {
  local table
  for table in results.csv per-frame.csv global_results.csv per-sequence_results.csv; do
    cmp "one/$table" "$1/$table" || die "$table differs: one, $1"
  done
}
"$stc" eval "${evaluate[@]}" --out one

job=$(sbatch --parsable --ntasks=2 --output=whole.log slurm/eval.sbatch "${evaluate[@]}" --out whole)
ended "$job" COMPLETED whole.log
same_tables whole
grep -q '"ranks": 2' whole/results.json || die 'the job did not evaluate on two ranks'

job=$(sbatch --parsable --ntasks=2 --output=requeued.log slurm/eval.sbatch "${evaluate[@]}" --out requeued)
until compgen -G 'requeued/records/*.json' > /dev/null; do
  [[ $(state "$job") =~ PENDING|RUNNING ]] || die "the job ended before its first clip: $(cat requeued.log)"
  sleep 0.02
done
scancel --batch --signal=USR1 "$job"
ended "$job" COMPLETED requeued.log
[ "$(restarts "$job")" -eq 1 ] || die "the job was not put back into the queue: $(cat requeued.log)"
grep -Eq '[1-5] clips were evaluated by an earlier start' requeued.log || die "the job did not go on: $(cat requeued.log)"
same_tables requeued
