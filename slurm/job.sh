# Sourced by the batch scripts beside it: ranks that are told before the job's time is over, and a job that then goes on later.
# shellcheck shell=bash
set -euo pipefail
scripts=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source "$scripts/environment.sh"
told=no                                    # that the time is nearly over
node_copy=$local_disk/stc-$SLURM_JOB_ID    # of the data set, where STC_STAGE is 1

# run_ranks COMMAND...: on every task, to its end. SIGUSR1, which --signal lets come before the time is over, is passed on: ranks
# that train save and stop, ranks that evaluate just stop. Both then end with 138, and the same command goes on from there.
run_ranks() {
  local code=0 ranks
  start_ranks "$@" &
  ranks=$!
  trap 'told=yes; kill -USR1 "$ranks" 2> /dev/null || true' USR1
  wait "$ranks" || code=$?
  # `wait` also returns when a signal has come, and the ranks then still save.
  while kill -0 "$ranks" 2> /dev/null; do
    code=0
    wait "$ranks" || code=$?
  done
  trap - USR1
  return "$code"
}

# When a script ends. A job that goes on later may get other nodes; of an array, this task alone goes back into the queue.
leave() {
  local code=$? job=$SLURM_JOB_ID
  if [ "${STC_STAGE:-0}" = 1 ]; then srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 rm -rf "$node_copy"; fi
  [ "$told" = yes ] && [ "$code" -eq 138 ] || return 0
  if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
  echo "the time of job $job is nearly over; it goes back into the queue, and then on from here"
  scontrol requeue "$job"
}
trap leave EXIT
