#!/usr/bin/env bash
# `stc score davis` beside vos-benchmark 0.1.0: the same drawn masks on disk, one core and two, in
# turn so that other load on the machine meets both.
#   bench/score.sh [--build DIR] [--python PYTHON] [--rounds N] [--sequences N] [--frames N]
# Needs two cores. PYTHON needs vos-benchmark 0.1.0 (which brings numpy, OpenCV, scikit-image, Pillow). Both count as
# whole processes; "less start" is without what `stc --version` and Python's imports take.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
build=build/release python=python3 rounds=3 sequences=10 frames=70
options build python rounds sequences frames -- "$@"
export OMP_NUM_THREADS=1
"$python" bench/score.py run "$build/bin/stc" "$rounds" "$sequences" "$frames"
