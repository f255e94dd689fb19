#!/usr/bin/env bash
# The probe: its numbers are those of `stc eval` on the same weights, on one rank and on two; training is the same with it and
# without it; a clip that goes bad costs the number and not the run.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 16
"$stc" pack images frames --out shards > /dev/null
"$stc" synthesize frames --out clips --clips 3 --frames 4 --height 96 --width 128
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=shards --train.steps=4)
probe=(--probe.data=clips --probe.every_steps=3 --probe.clips=2 --probe.short_side=96)

"$stc" "${pretrain[@]}" --run.dir=without
"$stc" "${pretrain[@]}" --run.dir=with "${probe[@]}" > with.log 2>&1
cmp without/weights.safetensors with/weights.safetensors || die 'the probe changed the training'
[ "$(grep -c 'step [34]: probe J&F [0-9.]* (J [0-9.]*, F [0-9.]*; 2 clips)$' with.log)" -eq 2 ] || die "no line a probe: $(cat with.log)"
on_ranks 2 "${pretrain[@]}" --run.dir=two "${probe[@]}"

find clips/Annotations -mindepth 1 -maxdepth 2 -type d -name '[a-z]*-*' -printf '%f\n' | sort | head -n 2 > first-two.txt
for run in with two; do
  "$stc" eval davis --data clips --split first-two.txt --weights "$run" --short-side 96 --out "$run-eval" > /dev/null
  awk -v told="$(sed -nE 's/.*"step":4,"probe_jf":([0-9.e-]+).*/\1/p' "$run/metrics.jsonl")" -F '[:,]' '
    $1 ~ /"jf_mean"/ && !found { found = 1; difference = told - $2 }
    END { exit !(found && told != "" && difference < 1e-12 && difference > -1e-12) }' "$run-eval/results.json" ||
    die "$run: the probe says $(tail -n 1 "$run/metrics.jsonl"), stc eval $(grep -m 1 jf_mean "$run-eval/results.json")"
done

expect 3 'probe: nowhere: ' "$stc" "${pretrain[@]}" --run.dir=refused --probe.data=nowhere
clip=$(sed -n 2p first-two.txt)
picture=$(find clips/JPEGImages -path "*/$clip/*" | sort | tail -n 1)
truncate -s 100 "$picture"
expect 0 "the probe gave no score this time: .*$clip" on_ranks 2 "${pretrain[@]}" --run.dir=damaged "${probe[@]}"
grep -q probe_jf damaged/metrics.jsonl && die 'a probe without all of its clips has a number'
cmp two/weights.safetensors damaged/weights.safetensors || die 'a bad clip of the probe changed the training'
