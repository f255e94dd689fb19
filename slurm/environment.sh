# What jobs need to know of this cluster; sourced by the scripts beside it. The only file to change.
# shellcheck shell=bash

# module load openmpi hdf5                       # where libraries come from modules
stc=${STC:-$SLURM_SUBMIT_DIR/build/release/bin/stc}
local_disk=${SLURM_TMPDIR:-${TMPDIR:-/tmp}}      # of each node; for STC_STAGE=1
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}

# start_ranks COMMAND...: one rank a task. Where this Slurm has no PMIx, mpirun takes the nodes from it. The numbers are said
# again since srun does not take --cpus-per-task from the job (Slurm 22.05 and later), and both would fill what is allocated.
start_ranks() {
  local ranks=${SLURM_NTASKS:-1}
  if [[ $(srun --mpi=list 2>&1) == *pmix* ]]; then
    exec srun --mpi=pmix --ntasks="$ranks" --cpus-per-task="$OMP_NUM_THREADS" "$@"
  fi
  exec mpirun -np "$ranks" --bind-to none "$@"
}
