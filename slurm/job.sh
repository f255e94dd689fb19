# Sourced by the batch scripts beside it: ranks that are told before the job's time is over, and a job that then goes on later.
# shellcheck shell=bash
set -euo pipefail
scripts=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source "$scripts/environment.sh"

# Puts this job back into the queue; of an array this task alone.
requeue_job() {
  local job=$SLURM_JOB_ID
  if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
  echo "the time of job $job is nearly over; it goes back into the queue, and then on from here"
  scontrol requeue "$job"
}

# run_ranks COMMAND...: on every task, to its end. SIGUSR1, which --signal lets come before the time is over, is passed on: ranks
# that train save and stop, ranks that evaluate just stop. Both then end with 138, and the same command goes on from there.
run_ranks() {
  local code=0 told=no ranks
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
  if [ "$told" = yes ] && [ "$code" -eq 138 ]; then requeue_job; fi
  return "$code"
}
