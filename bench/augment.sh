#!/usr/bin/env bash
# Compares MoCo v2's augmentation with torchvision's: two views of each photograph, from JPEG to normalised float32, on one
# thread each, alternating so that other load on the machine affects both.
#   bench/augment.sh --photos FOLDER [--build DIR] [--python PYTHON] [--rounds N] [--images N]
# PYTHON needs torch, torchvision and Pillow; run `cmake --build DIR --target stc_bench_augment` first. The photographs are
# resized to ImageNet's usual size beforehand; scripts/fetch-demo-data.sh downloads some.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
photos='' build=build/release python=python3 rounds=3 images=200
options photos build python rounds images -- "$@"
[ -n "$photos" ] || { echo 'augment.sh: --photos FOLDER is missing' >&2; exit 2; }
export OMP_NUM_THREADS=1
"$python" bench/augment.py "$build/bin/stc_bench_augment" "$photos" "$rounds" "$images"
