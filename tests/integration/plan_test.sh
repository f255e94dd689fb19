#!/usr/bin/env bash
# `stc plan` as a user types it: its text and its JSON say the same, wrong use is refused, and what it says a rank hands to
# collectives is, to the byte, what two real ranks count in their metrics.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

config=(--config "$repository/configs/demo/pretrain.toml")
expect 0 'stc plan pretrain: ResNet-18, 64 pixels, 8 samples per rank; dry run of rank 0 of 8$' \
  "$stc" plan "${config[@]}" --world 8,4096
for fabric in 'nvlink\+8x200' 'nvlink\+1x100' 'nvlink\+25gbe'; do
  grep -Eq "^ *$fabric +8 +64 +[0-9.]+ ms +[0-9]+ %" output || die "$fabric: no row of 8 ranks"
  grep -Eq "^ *$fabric +4096 +32768 +[0-9.]+ ms +[0-9]+ %" output || die "$fabric: no row of 4096 ranks"
done
# One world alone shares train.batch_size as it is.
expect 2 'train.batch_size is 64, which 4096 ranks do not divide' "$stc" plan "${config[@]}" --world 4096
expect 0 'dry run of rank 0 of 4096$' "$stc" plan "${config[@]}" --world 4096 --fabric nvlink+25gbe --train.batch_size=32768 \
  --contrastive.queue_size=32768
[ "$(grep -c '^ *nvlink' output)" -eq 1 ] || die 'a named fabric does not stand alone'

expect 0 '"ranks": 4096' "$stc" plan "${config[@]}" --world 8,4096 --json
[ "$(grep -c '"fabric"' output)" -eq 6 ] || die 'not every fabric and world is predicted'
awk '/"ranks"/ { ranks = $2 + 0 }
     /"efficiency"/ { if ($2 + 0 <= 0 || $2 + 0 > 1 || (ranks == 4096 && $2 + 0 >= few)) exit 1
                      if (ranks == 8) few = $2 + 0 }' output || die 'an efficiency is out of range, or grows with the ranks'

# Each GPU's time says where it comes from; inside a node the fastest link is the GPU's own.
expect 0 'compute [0-9.]+ ms per step: assumed from stc at revision [0-9a-f]+ .*on one H200, step 1' \
  "$stc" plan "${config[@]}" --world 8 --gpu h200
expect 0 'on one H200, .*; no H100 was measured: times 4.8 / 3.35' "$stc" plan "${config[@]}" --world 8 --gpu h100
expect 2 "gpu is 'k80'; expected one of a100, v100, h100, h200, or give --step-seconds" "$stc" plan "${config[@]}" --gpu k80

# Step 2 is planned before step 1 has run.
expect 0 'model.teacher later/weights.safetensors is not there yet; a ResNet-18' "$stc" plan \
  --config "$repository/configs/demo/train.toml" --world 2 --model.teacher=later/weights.safetensors

expect 2 'world is 0; expected 2 ranks or more' "$stc" plan "${config[@]}" --world 0
expect 2 'world is 1; expected 2 ranks or more' "$stc" plan "${config[@]}" --world 8,1
expect 2 "fabric is 'token-ring'; expected one of nvlink\+8x200, nvlink\+1x100, nvlink\+25gbe" \
  "$stc" plan "${config[@]}" --world 8 --fabric token-ring
expect 2 'train.batch_size is 64, which 3 ranks do not divide' "$stc" plan "${config[@]}" --world 3
expect 2 "unknown option '--wrld'; did you mean '--world'" "$stc" plan "${config[@]}" --wrld 8
expect 2 'nowhere.toml' "$stc" plan --config nowhere.toml --world 8

# scrape PORT: "STEP BYTES" of a rank; a page is of one step.
scrape() {
  exec {connection}<> "/dev/tcp/127.0.0.1/$1"
  printf 'GET /metrics HTTP/1.1\r\nHost: rank\r\nConnection: close\r\n\r\n' >&"$connection"
  awk '/^stc_step\{/ { step = $2 } /^stc_collective_bytes_total\{/ { bytes = $2 } END { printf "%d %d\n", step, bytes }' \
    <&"$connection"
  exec {connection}>&-
}
# counts_as_planned ARGUMENTS OF pretrain OR train...
counts_as_planned() {
  local run=$1 planned port step bytes later more
  "$stc" plan "$@" --world 2 --json > "$run.json"
  planned=$(awk '/"traffic"/, /\]/ { if (/"bytes"/) sum += $2 } /"every_step"|"logged_step"/ { sum += $2 } END { print sum }' \
    "$run.json")
  begin "$run" on_ranks 2 "$@" --run.dir="$run" --metrics.port=0
  for port in $(grep -o '127.0.0.1:[0-9]*' "$run/file_sd.json" | cut -d: -f2); do
    read -r step bytes < <(scrape "$port")
    until read -r later more < <(scrape "$port"); [ "$later" -gt "$((step + 2))" ]; do :; done
    [ "$((more - bytes))" -eq "$(((later - step) * planned))" ] ||
      die "$run: from step $step to $later $((more - bytes)) bytes are counted; $planned a step are planned"
    echo "$run, port $port: $planned bytes a step, as planned"
  done
  kill -USR1 "$(rank_pid "$run" 0)"
  stopped "$run" 138 USR1
}
make_frames frames 12
"$stc" pack images frames --out images
"$stc" pack videos frames --out videos
endless=(--train.steps=100000 --checkpoint.every_steps=100000 --dist.check_every=100000)
counts_as_planned pretrain "${small_pretrain[@]}" --data.shards=images "${endless[@]}"
counts_as_planned train "${small_train[@]}" --data.shards=videos --losses.global_weight=0 --model.init= --clips.frame_gap=2 \
  "${endless[@]}"
