# What jobs need to know of this cluster; sourced by the scripts beside it. The only file to change.
# shellcheck shell=bash

# module load openmpi hdf5                       # where libraries come from modules
stc=${STC:-$SLURM_SUBMIT_DIR/build/release/bin/stc}
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}

# start_ranks COMMAND...: one rank a task. Where this Slurm has no PMIx, mpirun takes nodes and tasks from it.
start_ranks() {
  if [[ $(srun --mpi=list 2>&1) == *pmix* ]]; then exec srun --mpi=pmix "$@"; fi
  exec mpirun --bind-to none "$@"
}
