#!/usr/bin/env bash
# Signals to a bare mpirun, as docs/running.md promises: SIGUSR1 is passed on and saved (138); SIGTERM is saved where Open MPI
# leaves the ranks time for it.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images
mpirun=(mpirun -np 2 --bind-to none --oversubscribe)
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=100000 --checkpoint.every_steps=100000)

begin usr1 "${mpirun[@]}" "${pretrain[@]}" --run.dir=usr1
kill -USR1 "$started"
stopped usr1 138 USR1

begin term "${mpirun[@]}" --mca odls_base_sigkill_timeout 10 "${pretrain[@]}" --run.dir=term
kill -TERM "$started"
stopped term 1 TERM
