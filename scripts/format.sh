#!/usr/bin/env bash
# Every C++ file by .clang-format; with --check nothing is changed, and what differs is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
how=(-i)
if [ "${1:-}" = --check ]; then how=(--dry-run --Werror); fi
git ls-files '*.cpp' '*.h' '*.cu' '*.cuh' | xargs clang-format "${how[@]}"
