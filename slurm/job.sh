# Sourced by the batch scripts beside it: warns the ranks before the job's time limit, and requeues the job so that it can resume.
# shellcheck shell=bash
set -euo pipefail
scripts=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source "$scripts/environment.sh"
time_is_short=no                           # the time limit is near
node_copy=$local_disk/stc-$SLURM_JOB_ID    # of the data set, if STC_STAGE is 1

# run_ranks COMMAND...: runs the command on every task until it ends. SIGUSR1, which Slurm sends before the time limit because of
# --signal, is passed on: training ranks save and stop, evaluating ranks just stop. Both exit with 138, and the same command
# resumes later.
run_ranks() {
  local code=0 ranks
  start_ranks "$@" &
  ranks=$!
  trap 'time_is_short=yes; kill -USR1 "$ranks" 2> /dev/null || true' USR1
  wait "$ranks" || code=$?
  # `wait` also returns when a signal arrives; the ranks are still saving then.
  while kill -0 "$ranks" 2> /dev/null; do
    code=0
    wait "$ranks" || code=$?
  done
  trap - USR1
  return "$code"
}

# Runs when a script ends. A requeued job may get other nodes. In a job array only this task is requeued.
leave() {
  local code=$? job=$SLURM_JOB_ID
  if [ "${STC_STAGE:-0}" = 1 ]; then srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 rm -rf "$node_copy"; fi
  [ "$time_is_short" = yes ] && [ "$code" -eq 138 ] || return 0
  if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
  echo "job $job is close to its time limit; it is requeued and will resume from here"
  scontrol requeue "$job"
}
trap leave EXIT
