#!/usr/bin/env bash
# Compares the search of label propagation with its dense form in PyTorch: one DAVIS frame against
# 21, the same features and threads, alternating so that other load on the machine affects both.
#   bench/propagation.sh [--build DIR] [--python PYTHON] [--threads N] [--rounds N] [--slices N] [--cases "D:S ..."]
# PYTHON needs torch and safetensors. A case is DEPTH:STRIDE. The dense form takes minutes per
# frame at stride 4, so only some slices of its queries are computed and their time is scaled.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
build=build/release python=python3 threads=1 rounds=3 slices=10 cases="18:8 50:8 18:4"
options build python threads rounds slices cases -- "$@"
export OMP_NUM_THREADS=$threads
# shellcheck disable=SC2086
"$python" bench/propagation.py "$build/bin/stc_bench_propagation" "$threads" "$rounds" "$slices" $cases
