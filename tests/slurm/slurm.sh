# Sourced by the tests beside it: a Slurm of one node (slurmctld, slurmd, munged from Debian's packages) with a key, a
# configuration and folders of its own, in namespaces of its own. Skipped (77) where there is none, or the user is not root.
# shellcheck shell=bash
PATH=$PATH:/usr/sbin
as_root=yes  # whom slurmctld and slurmd let drop groups
source "$(dirname "${BASH_SOURCE[0]}")/../integration/namespaces.sh"
for program in munged slurmctld slurmd srun; do
  command -v "$program" > /dev/null || skip "no $program here (Debian: slurm-wlm, munge)"
done
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
export OMP_NUM_THREADS=1 SLURM_CONF=$work/slurmd/slurm.conf

# start_slurm [TASKS]: a node for so many tasks at once; 2 by default.
start_slurm() {
  local folder=$work/slurmd daemon
  mkdir -p "$folder"/{munge,state,spool,tmp}
  chmod 755 "$work" "$folder" "$folder/munge"  # munged trusts no folder that others can write, and needs one they can enter
  (umask 077 && head -c 128 /dev/urandom > "$folder/munge/key")
  hostname node-1
  # Neither Slurm nor mpirun goes without a network.
  ip link add eth0 type veth peer name eth1
  ip link set eth0 up
  ip link set eth1 up
  ip address add 10.77.0.1/24 dev eth0
  printf '127.0.0.1 localhost\n10.77.0.1 node-1\n' > "$folder/hosts"
  mount --bind "$folder/hosts" /etc/hosts
  cat > "$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=node-1
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits for as long as a credential lives.
AuthInfo=socket=$folder/munge/socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# Jobs share the node, a core each.
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
KillWait=10
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
TmpFS=$folder/tmp
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmdParameters=config_overrides
NodeName=node-1 CPUs=${1:-2} State=UNKNOWN
PartitionName=all Nodes=node-1 Default=YES MaxTime=INFINITE State=UP
CONF
  munged --foreground --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" > "$folder/munged.out" 2>&1 &
  slurm_daemons=$!
  until [ -S "$folder/munge/socket" ]; do
    kill -0 "$slurm_daemons" 2> /dev/null || { cat "$folder"/munge{d.out,/log}; die 'munged did not start'; }
    sleep 0.02
  done
  slurmctld -D > "$folder/slurmctld.out" 2>&1 &
  slurm_daemons+=" $!"
  slurmd -D -N node-1 > "$folder/slurmd.out" 2>&1 &
  slurm_daemons+=" $!"
  # Else they write while their folder is removed.
  # shellcheck disable=SC2086
  trap 'kill -9 $slurm_daemons; wait $slurm_daemons 2> /dev/null || true; rm -rf "$work"' EXIT
  until [ "$(sinfo -h -o %t 2> /dev/null)" = idle ]; do
    for daemon in $slurm_daemons; do
      kill -0 "$daemon" 2> /dev/null || { tail -n 30 "$folder"/*.out "$folder"/*.log; die 'a daemon of Slurm has ended'; }
    done
    sleep 0.1
  done
}

# state JOB: PENDING, RUNNING, ...
state() { scontrol show job "$1" | sed -nE 's/.*JobState=([A-Z_]+).*/\1/p'; }

# ended JOB STATE LOG: waits until it (of an array: one task, as JOB_TASK) has ended, in that state.
ended() {
  local seen
  until seen=$(state "$1"); [[ $seen =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY)$ ]]; do sleep 0.2; done
  [ "$seen" = "$2" ] || { cat "$3"; die "the job of $3 ended as $seen; expected $2"; }
}

# restarts JOB: how often it was put back into the queue.
restarts() { scontrol show job "$1" | sed -nE 's/.*Restarts=([0-9]+).*/\1/p'; }
