#!/usr/bin/env bash
# slurm/smoke.sbatch passes here, and leaves nothing behind; where the program does not work, the job fails.
#
#   tests/slurm/smoke_job_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/slurm.sh"
start_slurm
ln -s "$repository/slurm" slurm
job=$(STC=$stc sbatch --parsable --output=smoke.log slurm/smoke.sbatch)
ended "$job" COMPLETED smoke.log
cat smoke.log
grep -q 'srun: 2 ranks, 2 on this host' smoke.log || die 'the smoke test was not run on two ranks'
tail -n 1 smoke.log | grep -q '^smoke: passed' || die 'the smoke test does not say that it passed'
[ ! -e "stc-smoke-$job" ] || die 'the smoke test left its folder behind'

job=$(STC=$(command -v false) sbatch --parsable --output=broken.log slurm/smoke.sbatch)
ended "$job" FAILED broken.log
