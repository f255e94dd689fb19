#!/usr/bin/env bash
# scripts/gpu-check.sh on the CPU: every item but CUDA itself, its table, its exit codes, and what it says of programs that are
# absent or fail.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1
check=$repository/scripts/gpu-check.sh
bin=$(dirname "$stc")

row() { grep -Eq "^$1 +$2 +[0-9]+  $3" output || { cat output; die "no row '$1' with $2 and a reason like: $3"; }; }

expect 0 '^gpu-check: [0-9]+ passed, [0-9]+ skipped, 0 failed in [0-9]+ s$' "$check" "$bin" --device cpu --seconds 400
for folder in models eval launcher; do row "tests of $folder" '(pass|skip)' '([0-9]+ passed|no stc_)'; done
row 'parity double' pass 'parity: 7 of 7 cases pass'
for step in 1 2; do row "step $step killed and resumed" pass 'weights equal bit for bit'; done
row 'bench step2' pass '[0-9.]+ ms'
row 'eval davis' pass 'J&F 0\.[0-9]+'

# Only the program, which fails: nothing is hidden, and no time is lost on what needs it.
mkdir bin
printf '%s\n' '#!/bin/sh' 'case $1 in --version) echo "stc 0" ;; *) echo "broken on purpose" >&2; exit 1 ;; esac' > bin/stc
chmod +x bin/stc
expect 1 'failed in [0-9]+ s$' "$check" bin --device cpu --seconds 60 --work kept
row 'doctor' FAIL 'broken on purpose'
row 'tests of models' skip 'no stc_models_tests'
row 'step 2 killed and resumed' skip 'no finished run'
grep -q 'broken on purpose' kept/logs/doctor.log || die 'the log of a failed item is not kept'
expect 2 'is not empty' "$check" bin --device cpu --work kept
expect 2 'bin-is-not-there/stc is missing' "$check" bin-is-not-there
expect 2 "unknown option '--fast'" "$check" bin --fast
expect 2 'finds no GPU' "$check" bin
