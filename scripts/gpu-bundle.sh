#!/usr/bin/env bash
# Packs the programs of a CUDA build for a machine with a GPU that has PyTorch but none of Debian's libraries: stc, its tests, golden
# cases, gpu-check.sh, Open MPI, and every shared library that is not part of PyTorch, CUDA or the C++ run time.
#
#   scripts/gpu-bundle.sh OUT.tar.xz [BIN_DIR]     BIN_DIR: build/cuda/bin
#
# There, as root (Open MPI looks for its plugins under absolute paths), with the PyTorch that the build was made against, of the same
# minor version, installed by pip:
#
#   tar -C / -xf OUT.tar.xz && /opt/stc/gpu-check.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

case ${1:-} in
  -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
  '' | -*) say 'expected OUT.tar.xz and, if not build/cuda/bin, the folder with the programs' >&2; exit 2 ;;
esac
out=$(realpath "$1")
bin=${2:-$repository/build/cuda/bin}
[ -x "$bin/stc" ] || fail "$bin/stc is missing; build the preset 'cuda' first"
root=$(mktemp -d --suffix=.stc)
trap 'rm -rf "$root"' EXIT
kit=$root/opt/stc
mkdir -p "$kit"/{bin,lib,golden}
system=/usr/lib/x86_64-linux-gnu

# What the machine has of its own: PyTorch with CUDA, the C and C++ run time. And what nothing here calls, yet would bring 130 MB of
# codecs: FFmpeg's libraries, which read videos.
own='(libtorch(_[a-z]+)?|libc10(_cuda)?|libnccl|libcudart|libgomp[-.0-9a-f]*|libc|libm|libpthread|libdl|librt|libstdc\+\+|libgcc_s|ld-linux-x86-64)\.so'
unused='(libav(codec|format|util)|libswscale)'
needed_by() { readelf -d "$1" | sed -nE 's/.*NEEDED.*\[(.*)\].*/\1/p' | grep -vE "^($own|$unused)" || true; }
# What a file needs of the system and what that needs, but not by way of PyTorch or of what is unused.
libraries_of() {
  local name path
  for name in $(needed_by "$1"); do
    path=$(ldconfig -p | awk -v name="$name" '$1 == name && !found++ { print $NF }')
    [ -n "$path" ] || fail "$1 needs $name, which is not among the system's libraries"
    echo "$path"
    ldd "$path" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -vE "/$own" || true
  done
}

# Stand-ins that end the program, with the symbols that the programs name.
make_stub() { # LIBRARY PROGRAM...
  local library=$1 symbols version
  shift
  symbols=$(comm -12 <(nm -D --defined-only "$system/$library" | awk '{ print $3 }' | sed 's/@.*//' | sort -u) \
                     <(nm -D --undefined-only "$@" | awk 'NF == 2 { print $2 }' | sed 's/@.*//' | sort -u))
  version=$(nm -D --defined-only "$system/$library" | awk -F@@ 'NF == 2 { name = $2 } END { print name }')
  echo "$version { global: *; };" > "$root/version"
  { echo 'void abort(void);'; for symbol in $symbols; do echo "void $symbol(void) { abort(); }"; done; } |
    gcc -shared -fPIC -w -x c - -Wl,-soname,"$library" -Wl,--version-script="$root/version" \
      -o "$kit/lib/$library"
  rm "$root/version"
}

programs=()
for name in stc stc_{models,eval,launcher,data,dist_mpi}_tests; do
  [ -x "$bin/$name" ] || { say "$bin/$name is missing; it is left out"; continue; }
  cp "$bin/$name" "$kit/bin"
  programs+=("$bin/$name")
done
cp -L /usr/bin/orterun "$kit/bin/mpirun"
cp -L /usr/bin/orted "$kit/bin"

for folder in "$system"/openmpi/lib/openmpi3 "$system"/pmix2/lib/pmix /usr/share/openmpi /usr/share/pmix2 /etc/openmpi; do
  [ -e "$folder" ] || continue
  mkdir -p "$root$(dirname "$folder")"
  cp -rL "$folder" "$root$(dirname "$folder")"
done
{
  for file in "${programs[@]}" /usr/bin/orterun /usr/bin/orted "$system"/openmpi/lib/openmpi3/*.so "$system"/pmix2/lib/pmix/*.so; do
    libraries_of "$file"
  done
} | sort -u | xargs cp -L -t "$kit/lib"
for library in $(readelf -d "${programs[@]}" | sed -nE "s/.*NEEDED.*\[($unused\.so[^]]*)\].*/\1/p" | sort -u); do
  make_stub "$library" "${programs[@]}"
done

cp "$repository/scripts/gpu-check.sh" "$kit"
cp "$repository"/tests/golden/*.safetensors "$kit/golden"
cat > "$kit/env.sh" <<'ENV'
# Sourced before a program of this bundle runs; gpu-check.sh does it itself.
stc_kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
site=$(python3 -c 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))')
export LD_LIBRARY_PATH=$stc_kit/lib:$site/torch/lib:$(ls -d "$site"/nvidia/*/lib | paste -sd:) PATH=$stc_kit/bin:$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,vader OMPI_MCA_plm=isolated
ENV

find "$root" -name '*.la' -delete
find "$root" -type f \( -name '*.so*' -o -path '*/bin/*' \) -exec strip --strip-unneeded {} + 2> /dev/null || true
tar -C "$root" -c . | xz -T0 -3 > "$out"
say "$out: $(du -h "$out" | cut -f1), unpacked $(du -sh "$root" | cut -f1), ${#programs[@]} programs"
