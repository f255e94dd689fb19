#!/usr/bin/env bash
# MoCo v2's augmentation beside torchvision's: two views of each photograph, from its JPEG to normalised float32, on one
# thread each, in turn so that other load on the machine meets both.
#   bench/augment.sh --photos FOLDER [--build DIR] [--python PYTHON] [--rounds N] [--images N]
# PYTHON needs torch, torchvision and Pillow; DIR needs `cmake --build DIR --target stc_bench_augment`. The photographs are
# brought to ImageNet's usual size first; scripts/fetch-demo-data.sh fetches some.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
photos='' build=build/release python=python3 rounds=3 images=200
options photos build python rounds images -- "$@"
[ -n "$photos" ] || { echo 'augment.sh: --photos FOLDER is missing' >&2; exit 2; }
export OMP_NUM_THREADS=1
"$python" bench/augment.py "$build/bin/stc_bench_augment" "$photos" "$rounds" "$images"
