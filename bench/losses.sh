#!/usr/bin/env bash
# Compares the losses of step 2 with their dense form in PyTorch: the same features and threads, alternating so that other load
# on the machine affects both. Measures forward and backward of the losses, without the networks.
#   bench/losses.sh [--build DIR] [--python PYTHON] [--threads N] [--rounds N] [--batch N] [--cases "D:S ..."]
# PYTHON needs torch and safetensors; run `cmake --build DIR --target stc_bench_losses` first. A case is DEPTH:PIXELS.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
build=build/release python=python3 threads=1 rounds=3 batch=4 cases="18:256 50:256"
options build python threads rounds batch cases -- "$@"
export OMP_NUM_THREADS=$threads
# shellcheck disable=SC2086
"$python" bench/losses.py "$build/bin/stc_bench_losses" "$threads" "$rounds" "$batch" $cases
