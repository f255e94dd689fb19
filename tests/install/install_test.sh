#!/usr/bin/env bash
# An installed stc: its folder is moved and another user runs it, without the build's LibTorch; manual and completion know
# every command; the Debian package holds the same. Both definitions of a container build it by the same steps.
#
#   tests/install/install_test.sh STC BUILD
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
build=$2
grep -q '^CMAKE_BUILD_TYPE:STRING=Release' "$build/CMakeCache.txt" || { echo 'skipped: not the release build'; exit 77; }

# As whoever may do the least here.
as_other() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH="$PATH" HOME=/nonexistent OMP_NUM_THREADS=1 "$@"
  else
    env -i PATH="$PATH" HOME=/nonexistent OMP_NUM_THREADS=1 "$@"
  fi
}

# works_at PREFIX: a program that needs nothing of the build, and trains.
works_at() {
  local program=$1/bin/stc run=$work/other-$RANDOM
  mkdir -m 777 "$run"
  if readelf -d "$program" | grep -E 'RUNPATH|RPATH' | grep -qF "$(dirname "$(libtorch)")"; then die "$program looks into the build's LibTorch"; fi
  ldd "$program" | grep libtorch_cpu | grep -qF "$1/" || die "$program takes its LibTorch from elsewhere: $(ldd "$program" | grep torch)"
  expect 0 '^stc ' as_other "$program" --version
  expect 0 'finished 2 steps' as_other "$program" "${small_pretrain[@]}" --data.shards="$work/shards" --train.steps=2 --run.dir="$run/run"
}
libtorch() { ldd "$stc" | sed -n 's/.*libtorch_cpu.so => \([^ ]*\).*/\1/p'; }

diff <(sed -n 's/^RUN //p' "$repository/Containerfile") \
  <(sed -n '/^%post/,/^%environment/s/^    \(scripts\/\|cmake \)/\1/p' "$repository/stc.def") ||
  die 'Containerfile and stc.def build by other steps'

chmod 755 "$work"
make_frames frames 12
"$stc" pack images frames --out shards > pack.log
small_pretrain=(pretrain "${small_pretrain[@]}")

cmake --install "$build" --prefix "$work/first" > install.log || { cat install.log; die 'cmake --install failed'; }
mv first moved
works_at "$work/moved"

"$stc" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' > commands.txt
[ "$(wc -l < commands.txt)" -ge 16 ] || die 'stc --help lists no commands'
while read -r command; do
  grep -q "^\.SH \"STC ${command^^}\"" moved/share/man/man1/stc.1 || die "the manual has nothing on stc $command"
done < commands.txt
grep -q '^\.SH "STC EVAL JHMDB"' moved/share/man/man1/stc.1 || die "the manual has nothing on a command's own commands"
# complete WORD...: what the shell offers for the last one.
complete_words() {
  PATH=$work/moved/bin:$PATH bash -c 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _stc; echo "${COMPREPLY[*]}"' \
    "$work/moved/share/bash-completion/completions/stc" "$@" 2> complete.log
}
[ "$(complete_words stc pre)" = pretrain ] || die "completes 'stc pre' to: $(complete_words stc pre)"
[ "$(complete_words stc eval jh)" = jhmdb ] || die "completes 'stc eval jh' to: $(complete_words stc eval jh)"
[ "$(complete_words stc eval davis --keep-g)" = --keep-going ] || die "completes an option to: $(complete_words stc eval davis --keep-g)"
[ "$(complete_words stc train --train.pre)" = --train.preset= ] || die "completes a key to: $(complete_words stc train --train.pre)"

command -v dpkg-shlibdeps > /dev/null || { echo 'no package made: no dpkg-shlibdeps here (Debian: dpkg-dev)'; exit 0; }
cpack --config "$build/CPackConfig.cmake" -B "$work/package" > cpack.log 2>&1 || { cat cpack.log; die 'cpack failed'; }
package=$(echo "$work"/package/*.deb)
dpkg-deb --info "$package" > info.txt
grep -q '^ Depends: .*libopencv-core.*openmpi-bin\|^ Depends: .*openmpi-bin.*libopencv-core' info.txt || { cat info.txt; die 'the package does not say what it needs'; }
grep -q 'LibTorch .* is inside' info.txt || { cat info.txt; die 'the package does not say where its LibTorch comes from'; }
dpkg-deb --extract "$package" "$work/unpacked"
works_at "$work/unpacked/usr"
