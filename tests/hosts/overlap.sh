#!/usr/bin/env bash
# How much of the communication is hidden behind backward where the network is slow: two nodes, one rank of one thread on
# each, a link shaped to 1 Gb/s, ResNet-18. A measurement, not a test; docs/results.md has its numbers.
#
#   tests/hosts/overlap.sh STC [ROUNDS] [IMAGES] [PIXELS]        needs `cmake --build --preset release --target stc_bench_ddp`
#
# Exposed is a step less the same step without reduction, which the same processes take in turn; the fastest of 6 steps and of
# all rounds counts, and of the step without reduction, which is the same in every row, the fastest of all rows.
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
rounds=${2:-5} images=${3:-16} pixels=${4:-96} rate=1gbit
bench=$(dirname "$stc")/stc_bench_ddp
[ -x "$bench" ] || die "$bench is not built; cmake --build --preset release --target stc_bench_ddp"

make_frames frames 12
"$stc" pack images frames --out images > /dev/null
"$stc" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=run --train.steps=1 2> /dev/null
make_hosts 2 "$rate"

# measure NAME COMPRESSION [BUCKET_MIB]
measure() {
  local name=$1
  shift
  on_host 1 mpirun --host node-1,node-2 -np 2 --bind-to none "$bench" speed run/weights.safetensors "$images" "$pixels" 6 "$@" |
    tail -n 1 >> "$name"
}
# least KEY FILE...
least() {
  local key=$1
  shift
  cat "$@" | sed -E "s/.*\"$key\":([^,}]*).*/\1/" | sort -g | sed -n 1p
}

for ((round = 0; round < rounds; round++)); do
  for compression in none bf16; do
    measure "after-$compression" "$compression" 1000
    measure "during-$compression" "$compression"
    measure "small-$compression" "$compression" 4
  done
done
echo "$(nproc --all) cores, load $(cut -d' ' -f1 /proc/loadavg); ResNet-18, $images images of $pixels pixels a rank, link of $rate, $rounds rounds"
alone=$(least alone ./{after,during,small}-{none,bf16})
printf '%-44s %10s %12s\n' '' 'ms a step' 'exposed, ms'
row() {
  awk -v name="$1" -v step="$2" -v alone="$alone" \
    'BEGIN { printf "%-44s %10.0f %12.0f\n", name, 1000 * step, 1000 * (step - alone) }'
}
row 'no reduction' "$alone"
for compression in none bf16; do
  row "$compression, one bucket after backward" "$(least seconds "after-$compression")"
  row "$compression, buckets of 25 MiB, the last of 1" "$(least seconds "during-$compression")"
  row "$compression, buckets of 4 MiB" "$(least seconds "small-$compression")"
done
