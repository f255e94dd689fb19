#!/usr/bin/env bash
# Everything that building and running stc needs: Debian packages, and LibTorch in the user's cache. Says nothing and
# changes nothing where all is in place.
#
#   scripts/setup.sh            for the CPU
#   scripts/setup.sh --cuda     LibTorch with CUDA and NCCL, and nvcc where /usr/local/cuda has none
#   scripts/setup.sh --checks   clang-format and clang-tidy too, and what tests of several hosts, of Slurm and of Prometheus need
#
# STC_LIBTORCH=<folder with include/ and lib/> uses a LibTorch 2.13 that is already there.
# XDG_CACHE_HOME (default ~/.cache) says where LibTorch goes: XDG_CACHE_HOME/stc.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

libtorch_version=2.13.0
kind=cpu
parts='build and run'
for argument in "$@"; do
  case $argument in
    --cuda) kind=cuda ;;
    --checks) parts="$parts|checks" ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument '$argument'; expected --cuda or --checks." >&2; exit 2 ;;
  esac
done

# The names that apt-packages.txt lists in the wanted parts.
wanted_packages() {
  awk -v parts="^\\\\[($parts)\\\\]\$" '/^\[/ { on = $0 ~ parts; next } on && /^[a-z0-9]/' "$repository/scripts/apt-packages.txt"
}

# Shows apt's long output as counts.
count_packages() {
  awk '/newly installed/ { total = $3 }
       /^Get:/ && ++fetched % 100 == 0 { printf "  %d of %d packages fetched\n", fetched, total; fflush() }
       /^Setting up / && ++done % 100 == 0 { printf "  %d of %d packages set up\n", done, total; fflush() }'
}

install_packages() {
  local missing package log
  command -v dpkg-query > /dev/null ||
    fail "this is not Debian (no dpkg). Install what scripts/apt-packages.txt names by hand; it was written for Debian 12."
  mapfile -t missing < <(comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort) \
                                  <(wanted_packages | sort))
  [ "${#missing[@]}" -gt 0 ] || return 0

  log=$(mktemp --suffix=.stc-apt.log)
  say "installing from Debian: ${missing[*]}"
  as_root apt-get update -qq > "$log" 2>&1 ||
    { cat "$log" >&2; fail "apt-get update failed (its messages are above). Check the network and the sources in /etc/apt."; }
  for package in "${missing[@]}"; do
    apt-cache show "$package" > "$log" 2>&1 ||
      fail "apt knows no package $package. It is in Debian 12's 'main'; check the sources in /etc/apt (this is $(. /etc/os-release; echo "$PRETTY_NAME"))."
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" 2>&1 |
    tee "$log" | count_packages ||
    { tail -20 "$log" >&2; fail "apt-get install failed (its last lines are above, all of them in $log)."; }
  rm -f "$log"
  stop_services "${missing[@]}"
}

# stop_services PACKAGE...: Debian starts a daemon with its package; tests start their own.
stop_services() {
  local package
  [ -d /run/systemd/system ] || return 0
  for package in "$@"; do
    case $package in
      munge | prometheus | prometheus-pushgateway) as_root systemctl disable --quiet --now "$package" || say "the service $package still runs" ;;
      slurm-wlm) as_root systemctl disable --quiet --now slurmctld slurmd || say 'the services of Slurm still run' ;;
    esac
  done
}

# unpack_wheel WHEEL FOLDER: of torch's wheel the headers, libraries and licences; without CUDA, libtorch_cuda and its like
# would be 0.5 GB for nothing.
unpack_wheel() {
  local torch_parts=('torch/include/*' 'torch/lib/*' 'torch-*.dist-info/*' -x torch/lib/libtorch_python.so)
  [ "$kind" = cuda ] || torch_parts+=('torch/lib/*cuda*' 'torch/lib/*nvshmem*')
  case $1 in
    */torch-*) unzip -q -o -d "$2" "$1" "${torch_parts[@]}" ;;
    *) unzip -q -o -d "$2" "$1" ;;
  esac || fail "$1 could not be unpacked into $2 (unzip's message is above). Start again: the wheel is checked once more."
}

# install_wheels LIST FOLDER MEGABYTES: unpacks the wheels of a requirements file into FOLDER, which appears only when it is
# whole. A wheel is kept until it is unpacked, and what is unpacked is not fetched again by the next try.
install_wheels() {
  local list=$1 folder=$2 megabytes=$3 partial="$2.partial" line name total count=0 done_before
  local stamp
  stamp=$(sha256sum < "$list")
  [ "$(cat "$folder/.complete" 2> /dev/null)" = "$stamp" ] && return 0

  mkdir -p "$partial"
  [ "$(cat "$partial/.list" 2> /dev/null)" = "$stamp" ] || { rm -rf "$partial"; mkdir -p "$partial"; echo "$stamp" > "$partial/.list"; }
  done_before=$(du -sm "$partial" | cut -f1)
  require_space "$partial" $((megabytes - done_before)) "$(basename "$folder")"
  total=$(grep -c '==' "$list")
  while read -r line <&3; do
    name=${line%% *} count=$((count + 1))
    [ ! -e "$partial/.unpacked-$name" ] || continue
    say "$(basename "$folder"): $name ($count of $total)"
    fetch_wheel "$line" "$partial/.wheels"
    unpack_wheel "$(find "$partial/.wheels" -name '*.whl')" "$partial"
    rm -rf "$partial/.wheels"
    touch "$partial/.unpacked-$name"
  done 3< <(grep '==' "$list")
  echo "$stamp" > "$partial/.complete"
  rm -rf "$folder"
  mv "$partial" "$folder"
}

# An own LibTorch must be of the version that dist was written against: c10d is not a stable interface.
check_own_libtorch() {
  local header="$1/include/torch/headeronly/version.h" found
  [ -e "$1/lib/libtorch_cpu.so" ] ||
    fail "STC_LIBTORCH=$1 holds no lib/libtorch_cpu.so; expected a folder with include/ and lib/ of LibTorch $libtorch_version."
  found=$(sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\) //p' "$header" 2> /dev/null | paste -sd.)
  [ "$found" = "${libtorch_version%.*}" ] ||
    fail "STC_LIBTORCH=$1 is LibTorch ${found:-of an unknown version}; expected ${libtorch_version%.*}. Unset STC_LIBTORCH to let this script fetch it."
}

install_libtorch() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || fail "this is $(uname -sm); LibTorch is fetched for Linux x86_64 only. Set STC_LIBTORCH."
  if [ "$kind" = cpu ]; then
    install_wheels "$repository/scripts/libtorch-cpu.txt" "$cache/libtorch-$libtorch_version-cpu" 1300
  else
    install_wheels "$repository/scripts/libtorch-cuda.txt" "$cache/libtorch-$libtorch_version-cuda" 5500
  fi
}

install_packages
mkdir -p "$cache"
exec 9> "$cache/setup.lock"
flock -n 9 || { say 'another setup.sh is at work; waiting for it'; flock 9; }
if [ -n "${STC_LIBTORCH:-}" ]; then
  check_own_libtorch "$STC_LIBTORCH"
else
  install_libtorch
fi
if [ "$kind" = cuda ] && [ ! -x /usr/local/cuda/bin/nvcc ]; then
  install_wheels "$repository/scripts/cuda-compiler.txt" "$cache/cuda-13.0" 600
fi
