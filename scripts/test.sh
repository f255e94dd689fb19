#!/usr/bin/env bash
# Sets everything up, builds the release preset and runs all of its tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
cmake --preset release
cmake --build --preset release
ctest --preset release
