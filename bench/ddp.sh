#!/usr/bin/env bash
# Compares stc with PyTorch's DDP over Gloo: two processes of one thread each, alternating so that
# other load on the machine affects both.
#   bench/ddp.sh [--build DIR] [--python PYTHON] [--rounds N] [--steps N]
# PYTHON needs torch and safetensors. Exposed communication is the time of a step minus that of the
# same step without reduction: the fastest of each, on the slower of the two ranks. CPU of
# communication is the same difference in the CPU time of all threads of a process, which other load
# on the machine disturbs less.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/options.sh
build=build/release python=python3 rounds=4 steps=10
options build python rounds steps -- "$@"
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ours() { mpirun -np 2 --bind-to none --oversubscribe "$@"; }
theirs() { "$python" bench/ddp.py "$@"; }
both() { # NAME, our arguments, --, their arguments
  local name=$1 left=() ; shift
  while [ "$1" != -- ]; do left+=("$1"); shift; done
  shift
  for ((round = 0; round < rounds; ++round)); do
    ours "${left[@]}" | tail -n 1 >> "$work/$name.ours"
    theirs "$@" | tail -n 1 >> "$work/$name.theirs"
  done
}

weights=$work/weights.safetensors
theirs weights "$weights"
ours "$build/bin/stc_bench_ddp" gradients "$weights" 2 64 "$work/ours.safetensors"
theirs gradients "$weights" 2 64 "$work/theirs.safetensors"
theirs compare "$work/ours.safetensors" "$work/theirs.safetensors" > "$work/gradients"
for batch in 4 16; do
  both "step$batch" "$build/bin/stc_bench_ddp" speed "$weights" $batch 64 "$steps" -- speed "$weights" $batch 64 "$steps"
done
both allreduce "$build/bin/stc" bench allreduce --json -- allreduce 100 10

"$python" - "$work" <<'PYTHON'
import json, os, sys
folder = sys.argv[1]
best = lambda name, key: min(json.loads(line)[key] for line in open(f"{folder}/{name}"))
load = os.getloadavg()[0]
print(f"{os.cpu_count()} cores, load {load:.1f} (1 min); 2 processes of 1 thread")
print(f"{'':34}{'stc':>10}{'DDP, gloo':>12}{'stc / DDP':>11}")
def row(name, ours, theirs, form="{:.1f}"):
    print(f"{name:34}{form.format(ours):>10}{form.format(theirs):>12}{ours / theirs:>11.2f}")
for batch in (4, 16):
    both = lambda key: [1000 * best(f"step{batch}.{side}", key) for side in ("ours", "theirs")]
    row(f"ResNet-18, {batch} x 64x64 per rank: ms", *both("seconds"))
    row("  without reduction: ms", *both("alone"))
    row("  exposed communication: ms", *[a - b for a, b in zip(both("seconds"), both("alone"))])
    row("  CPU of communication: ms", *[a - b for a, b in zip(both("cpu"), both("alone_cpu"))])
rates = [100 / best(f"allreduce.{side}", "seconds") for side in ("ours", "theirs")]
row("all-reduce of 100 MB: MB/s", *rates, "{:.0f}")
print(f"largest relative difference of a gradient, in double: "
      f"{json.load(open(folder + '/gradients'))['gradients']:.1e}")
PYTHON
