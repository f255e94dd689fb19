#!/usr/bin/env bash
# The losses of step 2 beside their dense form in PyTorch: the same features and threads, in turn so that other load on the
# machine meets both. Forward and backward; the networks are not in it.
#   bench/losses.sh [--build DIR] [--python PYTHON] [--threads N] [--rounds N] [--batch N] [--cases "D:S ..."]
# PYTHON needs torch and safetensors; DIR needs `cmake --build DIR --target stc_bench_losses`. A case is DEPTH:PIXELS.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
build=build/release python=python3 threads=1 rounds=3 batch=4 cases="18:256 50:256"
options build python threads rounds batch cases -- "$@"
export OMP_NUM_THREADS=$threads
# shellcheck disable=SC2086
"$python" bench/losses.py "$build/bin/stc_bench_losses" "$threads" "$rounds" "$batch" $cases
