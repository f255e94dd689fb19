#!/usr/bin/env bash
# Does the method work? Prints J&F of random weights, step 1, and step 1 + 2 on sequences of DAVIS-2016 for several seeds.
#
#   DAVIS2016=<folder> scripts/davis2016-study.sh [SEED...]      seeds 0 1 2 by default; results in runs/study
#
# DAVIS2016 contains train/JPEGImages/SEQ/*.jpg (any size; no masks needed) and dev/{JPEGImages,Annotations}/SEQ/*. The evaluation
# uses every second of the first 40 frames of each dev sequence, at a short side of 240. STC=<program> uses another build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/functions.sh

[ -d "${DAVIS2016:-}/train/JPEGImages" ] || fail "DAVIS2016 is '${DAVIS2016:-}'; expected a folder with train/JPEGImages and dev/JPEGImages"
stc=${STC:-build/release/bin/stc}
runs=runs/study
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(0 1 2)
mkdir -p "$runs"

two_ranks() {
  local as_root=()
  if [ "$(id -u)" -eq 0 ]; then as_root=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1); fi
  "${as_root[@]}" mpirun -np 2 --bind-to none --oversubscribe "$stc" "$@"
}

# Links every second of the first 40 frames.
thin_out() {
  local kind=$1 ending=$2 sequence frame i
  for sequence in "$DAVIS2016/dev/$kind"/*/; do
    mkdir -p "$runs/dev/$kind/$(basename "$sequence")"
    i=0
    for frame in "$sequence"*."$ending"; do
      if [ $((i % 2)) -eq 0 ] && [ $i -lt 40 ]; then ln -sf "$frame" "$runs/dev/$kind/$(basename "$sequence")/"; fi
      i=$((i + 1))
    done
  done
}

evaluate() {
  "$stc" eval davis --data "$runs/dev" --weights "$2" --depth 18 --out "$runs/$1" --label "$1" \
    --short-side 240 --half-window 6 > "$runs/$1.log" 2>&1
  awk -F, 'NR == 2 { printf "%.2f\n", 100 * $1 }' "$runs/$1/global_results.csv"
}

[ -e "$runs/images/manifest.json" ] || "$stc" pack images "$DAVIS2016/train/JPEGImages" --out "$runs/images"
[ -e "$runs/videos/manifest.json" ] || "$stc" pack videos "$DAVIS2016/train/JPEGImages" --out "$runs/videos"
thin_out JPEGImages jpg
thin_out Annotations png

echo 'seed random step1 step1+2'
for seed in "${seeds[@]}"; do
  two_ranks pretrain --config configs/demo/pretrain.toml --train.steps=400 --run.seed="$seed" --run.dir="$runs/step1-$seed" --data.shards="$runs/images" \
    > "$runs/step1-$seed.log" 2>&1
  two_ranks train --config configs/demo/train.toml --train.steps=120 --run.seed="$seed" --run.dir="$runs/step2-$seed" --data.shards="$runs/videos" \
    --model.teacher="$runs/step1-$seed/weights.safetensors" --model.init="$runs/step1-$seed/weights.safetensors" > "$runs/step2-$seed.log" 2>&1
  echo "$seed $(evaluate "random-$seed" "random:$seed") $(evaluate "eval1-$seed" "$runs/step1-$seed/weights.safetensors") $(evaluate "eval2-$seed" "$runs/step2-$seed/weights.safetensors")"
done
