#!/usr/bin/env bash
# train.trace_steps: each rank writes a trace of these steps with their phases in it, also of a run that resumes within them, and
# the weights are those of a run without.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 12
"$stc" pack images frames --out images > pack.log
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=4 --checkpoint.every_steps=2)

# traced FILE STEP...: the phases and these steps alone are ranges of the trace, and operators are in it.
traced() {
  local file=$1 range
  shift
  for range in 'data wait' forward backward update 'aten::convolution'; do
    grep -q "\"name\": \"$range\"" "$file" || die "$file: no '$range'"
  done
  [ "$(grep -o 'ProfilerStep#[0-9]*' "$file" | sort -u | xargs)" = "$(printf 'ProfilerStep#%d ' "$@" | xargs)" ] ||
    die "$file: steps $(grep -o 'ProfilerStep#[0-9]*' "$file" | sort -u | xargs); expected $*"
}

"$stc" "${pretrain[@]}" --run.dir=plain > plain.log 2>&1 || die "$(cat plain.log)"
expect 0 'trace of steps 2 to 3 in traced/trace/rank-0.json$' "$stc" "${pretrain[@]}" --run.dir=traced --train.trace_steps=2:3
traced traced/trace/rank-0.json 2 3
equal_runs plain traced 4

on_ranks 2 "${pretrain[@]}" --run.dir=two --train.trace_steps=3:9 > two.log 2>&1 || die "$(cat two.log)"
for rank in 0 1; do traced "two/trace/rank-$rank.json" 3 4; done

expect 2 'train.trace_steps is "3"; expected FIRST:LAST' "$stc" "${pretrain[@]}" --run.dir=wrong --train.trace_steps=3
expect 2 'train.trace_steps is "9:10"; expected steps of this run, which ends with step 4' "$stc" "${pretrain[@]}" \
  --run.dir=wrong --train.trace_steps=9:10
[ ! -e wrong ] || die 'a wrong key left a run folder'
