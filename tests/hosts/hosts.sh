# Sourced by the tests beside it: several hosts on one machine, as far as the network goes. Each has a network namespace with
# an address of its own (10.77.0.N), a name (node-N), and a link to a common switch.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/../integration/namespaces.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# make_hosts COUNT [RATE]: node-1 ... node-COUNT, their links shaped to RATE (tc's: 1gbit).
make_hosts() {
  local count=$1 rate=${2:-} i pid
  ip link add switch type bridge
  ip link set switch up
  for ((i = 1; i <= count; i++)); do
    unshare --net --uts sleep infinity &
    pid=$!
    echo "$pid" > "node-$i.pid"
    until [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    ip link add "port-$i" type veth peer name "link-$i"
    ip link set "link-$i" netns "$pid"
    ip link set "port-$i" master switch up
    nsenter -t "$pid" --uts hostname "node-$i"
    on_host "$i" ip link set lo up
    on_host "$i" ip link set "link-$i" name eth0
    on_host "$i" ip address add "10.77.0.$i/24" dev eth0
    on_host "$i" ip link set eth0 up
    if [ -n "$rate" ]; then on_host "$i" tc qdisc add dev eth0 root tbf rate "$rate" burst 1mb latency 100ms; fi
    echo "10.77.0.$i node-$i" >> hosts
  done
  echo '127.0.0.1 localhost' >> hosts
  mount --bind hosts /etc/hosts
  # What ssh is to a cluster: AGENT HOST COMMAND.
  cat > agent <<AGENT
#!/bin/bash
host=\$1
shift
exec nsenter -t "\$(cat "$work/\$host.pid")" --net --uts /bin/sh -c "\$*"
AGENT
  chmod +x agent
  export OMPI_MCA_plm_rsh_agent="$work/agent" OMPI_MCA_btl=tcp,self OMPI_MCA_pml=ob1
  export OMPI_MCA_oob_tcp_if_include=eth0 OMPI_MCA_btl_tcp_if_include=eth0
}

# on_host N COMMAND...
on_host() {
  local host=$1
  shift
  nsenter -t "$(cat "node-$host.pid")" --net --uts "$@"
}

cut_link() { ip link set "port-$1" down; }
mend_link() { ip link set "port-$1" up; }
