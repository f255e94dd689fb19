#!/usr/bin/env bash
# Runs the checks that are too slow for every change: sanitizers, clang-tidy, formatting, the CUDA link and the whole demo.
# Run it before a release; it takes hours on two cores and stops at the first failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n== %s ==\n' "$*"; }

scripts/setup.sh --checks
step formatting
scripts/format.sh --check
step tests
scripts/test.sh
for preset in asan tsan; do
  step "$preset"
  cmake --preset "$preset"
  cmake --build --preset "$preset"
  ctest --preset "$preset"
done
step clang-tidy
cmake --preset tidy
cmake --build --preset tidy
step 'ranks killed and stopped, in full'
tests/faults/kill_ranks_test.sh build/release/bin/stc 20
tests/faults/stop_rank_test.sh build/release/bin/stc 4
step cuda
scripts/setup.sh --cuda
cmake --preset cuda
cmake --build --preset cuda
step demo
scripts/demo.sh
