# Sourced first by tests that need more of a host than a process has: runs the calling script again in namespaces of its own
# (user, processes, network, mounts, host name), so that nothing is left behind, whatever happens. No right beyond that to make
# user namespaces is needed, but where $as_root is `yes`: then the user stays root. Where it cannot be, the test is skipped (77).
# shellcheck shell=bash

skip() {
  echo "SKIPPED: $*"
  exit 77
}

if [ "${STC_IN_NAMESPACE:-}" != yes ]; then
  namespaces=(unshare --net --mount --uts --pid --fork --kill-child --mount-proc)
  if [ "${as_root:-no}" = no ]; then namespaces+=(--user --map-root-user); fi
  "${namespaces[@]}" true 2> /dev/null || skip "no namespaces for $(id -un) here"
  command -v ip > /dev/null || skip 'no `ip` here (Debian: iproute2)'
  STC_IN_NAMESPACE=yes exec "${namespaces[@]}" bash "$0" "$@"
fi
ip link set lo up
