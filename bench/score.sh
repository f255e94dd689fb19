#!/usr/bin/env bash
# Compares `stc score davis` with vos-benchmark 0.1.0: the same synthetic masks on disk, on one core
# and on two, alternating so that other load on the machine affects both.
#   bench/score.sh [--build DIR] [--python PYTHON] [--rounds N] [--sequences N] [--frames N]
# Needs two cores. PYTHON needs vos-benchmark 0.1.0 (which installs numpy, OpenCV, scikit-image, Pillow). Both are
# measured as whole processes; "less start" excludes the time of `stc --version` and of Python's imports.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
build=build/release python=python3 rounds=3 sequences=10 frames=70
options build python rounds sequences frames -- "$@"
export OMP_NUM_THREADS=1
"$python" bench/score.py run "$build/bin/stc" "$rounds" "$sequences" "$frames"
