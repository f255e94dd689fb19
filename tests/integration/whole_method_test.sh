#!/usr/bin/env bash
# Pack, verify, both steps on one and on two ranks, evaluate, score, report: each end meets the next, and the number of
# ranks changes nothing but rounding.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 16
"$stc" pack images frames --out images
"$stc" pack videos frames --out videos
"$stc" synthesize frames --out clips --clips 2 --frames 4 --height 96 --width 128
expect 0 'all good' "$stc" verify images
expect 0 'all good' "$stc" verify videos

for ranks in 1 2; do
  on_ranks "$ranks" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir="step1-$ranks" --train.steps=20
  on_ranks "$ranks" train "${small_train[@]}" --data.shards=videos --run.dir="step2-$ranks" --train.steps=20 \
    --clips.frame_gap=2 --model.teacher=step1-1/weights.safetensors --model.init=step1-1/weights.safetensors
  for run in "step1-$ranks" "step2-$ranks"; do
    [ "$(wc -l < "$run/metrics.jsonl")" -eq 20 ] || die "$run/metrics.jsonl does not hold 20 steps"
    [ -s "$run/weights.safetensors" ] || die "$run has no weights"
  done
done

# The loss of the first step of step 2: the same samples, the same weights, on one rank and on two.
loss() { sed -n '1s/.*"total":\([-0-9.e+]*\).*/\1/p' "$1/metrics.jsonl"; }
awk -v a="$(loss step2-1)" -v b="$(loss step2-2)" 'BEGIN { d = (a - b) / a; exit !(a > 0 && d * d < 1e-6) }' ||
  die "first loss on 1 rank $(loss step2-1), on 2 ranks $(loss step2-2)"

"$stc" eval davis --data clips --weights step2-2/weights.safetensors --out eval --depth 18 --short-side 96 --half-window 3 --threads 1
"$stc" score davis --truth clips --prediction eval --csv scored.csv
cmp scored.csv eval/results.csv || die 'scoring the masks again gives other numbers'
"$stc" report step1-2 step2-2 eval --out report.html
[ -s report.html ] || die 'no report'
if grep -Eq '(src|href)="https?:' report.html; then die 'the report is not self-contained'; fi
