#!/usr/bin/env bash
# Formats every C++ file according to .clang-format. With --check it changes nothing and fails if a file is not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
how=(-i)
if [ "${1:-}" = --check ]; then how=(--dry-run --Werror); fi
git ls-files '*.cpp' '*.h' '*.cu' '*.cuh' | xargs clang-format "${how[@]}"
