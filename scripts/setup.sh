#!/usr/bin/env bash
# Installs everything needed to build and run stc: Debian packages, and LibTorch in the user's cache. Prints nothing and
# changes nothing if everything is already in place.
#
#   scripts/setup.sh            for the CPU
#   scripts/setup.sh --cuda     LibTorch with CUDA and NCCL, and nvcc if /usr/local/cuda does not have it
#   scripts/setup.sh --oldest   the oldest LibTorch that stc supports, for the CPU (the preset `oldest`)
#   scripts/setup.sh --checks   also clang-format, clang-tidy, and what the multi-host, Slurm and Prometheus tests need
#
# STC_LIBTORCH=<folder with include/ and lib/> uses an existing LibTorch, 2.11 or newer (tested: 2.11, 2.13, 2.15).
# LibTorch is installed in XDG_CACHE_HOME/stc (XDG_CACHE_HOME defaults to ~/.cache).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

libtorch_version=2.13.0
oldest_libtorch_version=2.11.0
kind=cpu
parts='build and run'
for argument in "$@"; do
  case $argument in
    --cuda) kind=cuda ;;
    --oldest) kind=oldest ;;
    --checks) parts="$parts|checks" ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument '$argument'; expected --cuda, --oldest or --checks." >&2; exit 2 ;;
  esac
done

# The packages that apt-packages.txt lists in the requested parts.
wanted_packages() {
  awk -v parts="^\\\\[($parts)\\\\]\$" '/^\[/ { on = $0 ~ parts; next } on && /^[a-z0-9]/' "$repository/scripts/apt-packages.txt"
}

# Reduces apt's long output to counts.
count_packages() {
  awk '/newly installed/ { total = $3 }
       /^Get:/ && ++fetched % 100 == 0 { printf "  %d of %d packages downloaded\n", fetched, total; fflush() }
       /^Setting up / && ++done % 100 == 0 { printf "  %d of %d packages installed\n", done, total; fflush() }'
}

install_packages() {
  local missing package log
  command -v dpkg-query > /dev/null ||
    fail "this system is not Debian (dpkg is missing). Install the packages listed in scripts/apt-packages.txt by hand; the list is for Debian 12."
  mapfile -t missing < <(comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort) \
                                  <(wanted_packages | sort))
  [ "${#missing[@]}" -gt 0 ] || return 0

  require_root 'apt-get install'
  say "installing Debian packages: ${missing[*]}"
  logged as_root apt-get update -qq ||
    fail "apt-get update failed (see its output above). Check the network and the sources in /etc/apt."
  for package in "${missing[@]}"; do
    apt-cache show "$package" > /dev/null 2>&1 ||
      fail "apt does not know the package $package. It is in Debian 12's 'main'; check the sources in /etc/apt (this is $(. /etc/os-release; echo "$PRETTY_NAME"))."
  done
  log=$(mktemp --suffix=.stc.log)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" 2>&1 |
    tee "$log" | count_packages ||
    { tail -n 20 "$log" >&2; fail "apt-get install failed (its last lines are above, its full output is in $log)."; }
  rm -f "$log"
  stop_services "${missing[@]}"
}

# stop_services PACKAGE...: Debian starts a daemon when its package is installed; the tests start their own.
stop_services() {
  local package
  [ -d /run/systemd/system ] || return 0
  for package in "$@"; do
    case $package in
      munge | prometheus | prometheus-pushgateway) as_root systemctl disable --quiet --now "$package" || say "the service $package is still running" ;;
      slurm-wlm) as_root systemctl disable --quiet --now slurmctld slurmd || say 'the Slurm services are still running' ;;
    esac
  done
}

# unpack_wheel WHEEL FOLDER: takes only the headers, libraries and licences from torch's wheel. Without CUDA, libtorch_cuda and
# related libraries would waste 0.5 GB.
unpack_wheel() {
  local torch_parts=('torch/include/*' 'torch/lib/*' 'torch-*.dist-info/*' -x torch/lib/libtorch_python.so)
  [ "$kind" = cuda ] || torch_parts+=('torch/lib/*cuda*' 'torch/lib/*nvshmem*')
  case $1 in
    */torch-*) unzip -q -o -d "$2" "$1" "${torch_parts[@]}" ;;
    *) unzip -q -o -d "$2" "$1" ;;
  esac || fail "cannot unpack $1 into $2 (see unzip's message above). Run this script again: it checks the wheel once more."
}

# install_wheels LIST FOLDER MEGABYTES: unpacks the wheels of a requirements file into FOLDER, which appears only once it is
# complete. A wheel is kept until it is unpacked, and a later attempt does not download unpacked wheels again.
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
    say "downloading $name ($count of $total for $(basename "$folder"))"
    fetch_wheel "$line" "$partial/.wheels"
    unpack_wheel "$(find "$partial/.wheels" -maxdepth 1 -name '*.whl')" "$partial"
    rm -rf "$partial/.wheels"
    touch "$partial/.unpacked-$name"
  done 3< <(grep '==' "$list")
  echo "$stamp" > "$partial/.complete"
  rm -rf "$folder"
  mv "$partial" "$folder"
}

# c10d is not a stable interface: older ones lack what dist calls, newer ones may.
check_own_libtorch() {
  local header="$1/include/torch/headeronly/version.h" found
  [ -e "$1/lib/libtorch_cpu.so" ] ||
    fail "STC_LIBTORCH=$1 has no lib/libtorch_cpu.so; expected a folder with the include/ and lib/ of LibTorch."
  found=$(sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\) //p' "$header" 2> /dev/null | paste -sd.)
  printf '%s\n' "${oldest_libtorch_version%.*}" "${found:-0}" | sort -C -V ||
    fail "STC_LIBTORCH=$1 is LibTorch ${found:-of an unknown version}; expected ${oldest_libtorch_version%.*} or newer. Unset STC_LIBTORCH to let this script download it."
}

install_libtorch() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || fail "this system is $(uname -sm), but this script downloads LibTorch for Linux x86_64 only. Set STC_LIBTORCH to a LibTorch for this system."
  case $kind in
    cpu) install_wheels "$repository/scripts/libtorch-cpu.txt" "$cache/libtorch-$libtorch_version-cpu" 1300 ;;
    oldest) install_wheels "$repository/scripts/libtorch-oldest.txt" "$cache/libtorch-$oldest_libtorch_version-cpu" 1300 ;;
    cuda) install_wheels "$repository/scripts/libtorch-cuda.txt" "$cache/libtorch-$libtorch_version-cuda" 5500 ;;
  esac
}

install_packages
mkdir -p "$cache"
exec 9> "$cache/setup.lock"
flock -n 9 || { say 'another setup.sh is running; waiting for it to finish'; flock 9; }
if [ -n "${STC_LIBTORCH:-}" ]; then
  check_own_libtorch "$STC_LIBTORCH"
else
  install_libtorch
fi
if [ "$kind" = cuda ] && [ ! -x /usr/local/cuda/bin/nvcc ]; then
  install_wheels "$repository/scripts/cuda-compiler.txt" "$cache/cuda-13.0" 600
fi
