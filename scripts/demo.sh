#!/usr/bin/env bash
# Runs the whole method on real pictures and clips, on two cores: step 1, step 2, and J&F of random weights, step 1 and step 2
# on clips made of photographs that were not used for training. Ends with a table, RUNS/summary.json and RUNS/report.html.
# Fails if training does not beat random weights. An interrupted demo resumes when it is started again; RUNS is runs/demo.
#
#   scripts/demo.sh             about ten minutes after setup and downloads
#   scripts/demo.sh --short     a few steps of everything, in runs/demo-short: shows that it works, not that it learns
#   scripts/demo.sh --seed N    different random draws in both steps and different random weights, in runs/demo-seed-N
#   scripts/demo.sh --fresh     deletes what an earlier demo left
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/functions.sh

runs=runs/demo
fresh=no
short=no
seed=0
while [ $# -gt 0 ]; do
  case $1 in
    --short) short=yes runs=runs/demo-short ;;
    --fresh) fresh=yes ;;
    --seed)
      seed=${2:-}
      [[ $seed =~ ^[0-9]+$ ]] || { say "--seed is '$seed'; expected a whole number, 0 or larger" >&2; exit 2; }
      runs=runs/demo-seed-$seed
      shift
      ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) say "unknown argument '$1'; expected --short, --seed N or --fresh." >&2; exit 2 ;;
  esac
  shift
done

clips=(--clips 5 --frames 20)
pretrain_steps=() train_steps=()
if [ "$short" = yes ]; then
  clips=(--clips 2 --frames 6)
  pretrain_steps=(--train.steps=6)
  train_steps=(--train.steps=4)
fi

scripts/setup.sh
cmake --preset release > /dev/null
cmake --build --preset release
scripts/fetch-demo-data.sh
[ "$fresh" = no ] || rm -rf "$runs"
mkdir -p "$runs"

stc=build/release/bin/stc
data="$cache/demo-data"
begin=$SECONDS

# Runs two ranks on any machine. By default Open MPI binds each rank, including its loader threads, to one core, and refuses to
# start more ranks than there are cores or to run as root.
two_ranks() {
  local as_root=()
  if [ "$(id -u)" -eq 0 ]; then as_root=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1); fi
  "${as_root[@]}" mpirun -np 2 --bind-to none --oversubscribe "$stc" "$@"
}

evaluate() {
  local name=$1 weights=$2
  "$stc" eval davis --data "$runs/data/clips" --weights "$weights" --out "$runs/eval-$name" --label "$name" --force \
    --depth 18 --short-side 240 --half-window 6 --overlays
}

say 'packing images and videos into shards'
[ -e "$runs/data/images/manifest.json" ] || "$stc" pack images "$data/train/images" --out "$runs/data/images"
[ -e "$runs/data/videos/manifest.json" ] || "$stc" pack videos "$data/train/videos" --out "$runs/data/videos" --max-side 427
"$stc" synthesize "$data/held-out/photos" --out "$runs/data/clips" --force "${clips[@]}"

say 'step 1: contrastive learning on images'
two_ranks pretrain --config configs/demo/pretrain.toml --run.dir="$runs/step1" --data.shards="$runs/data/images" \
  --run.seed="$seed" "${pretrain_steps[@]}"

say 'step 2: reconstruction learning on videos'
two_ranks train --config configs/demo/train.toml --run.dir="$runs/step2" --data.shards="$runs/data/videos" \
  --model.teacher="$runs/step1/weights.safetensors" --model.init="$runs/step1/weights.safetensors" \
  --run.seed="$seed" "${train_steps[@]}"

say 'evaluating on clips made of photographs that were not used for training'
evaluate random "random:$seed"
evaluate step1 "$runs/step1/weights.safetensors"
evaluate step2 "$runs/step2/weights.safetensors"

say 'propagating a first-frame mask through a real clip that was not used for training'
"$stc" propagate "$data/held-out/dog.mp4" --mask scripts/demo/dog-first-frame.png --force --out "$runs/dog" \
  --weights "$runs/step2/weights.safetensors" --short-side 240 --half-window 6

"$stc" report "$runs" --out "$runs/report.html"
seconds=$((SECONDS - begin))
summary=(scripts/demo/summary.awk "$runs"/eval-{random,step1,step2}/results.csv)
awk -v form=json -v seconds="$seconds" -f "${summary[@]}" > "$runs/summary.json"
awk -v form=table -f "${summary[@]}"
say "finished in $seconds seconds; scores in $runs/summary.json, pictures in $runs/report.html, masks for the real clip in $runs/dog"

if [ "$short" = no ]; then
  awk -v form=verdict -f "${summary[@]}" || fail 'training does not beat random weights; see the table above.'
fi
