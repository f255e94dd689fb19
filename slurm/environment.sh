# Settings of this cluster, sourced by the scripts beside it. This is the only file to edit.
# shellcheck shell=bash

# module load openmpi hdf5                       # if libraries come from modules
stc=${STC:-$SLURM_SUBMIT_DIR/build/release/bin/stc}
local_disk=${SLURM_TMPDIR:-${TMPDIR:-/tmp}}      # on each node; used with STC_STAGE=1
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}

# start_ranks COMMAND...: one rank per task. If this Slurm has no PMIx, mpirun takes the nodes from the allocation. The numbers are
# repeated because srun does not inherit --cpus-per-task from the job (Slurm 22.05 and later), and because without them both
# would fill the allocation.
start_ranks() {
  local ranks=${SLURM_NTASKS:-1}
  if [[ $(srun --mpi=list 2>&1) == *pmix* ]]; then
    exec srun --mpi=pmix --ntasks="$ranks" --cpus-per-task="$OMP_NUM_THREADS" "$@"
  fi
  exec mpirun -np "$ranks" --bind-to none "$@"
}
