#!/usr/bin/env bash
# A run goes on with another number of ranks at the same global batch: the same samples in the same order, and the same
# training but for the order in which floats are added (docs/running.md).
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 16
"$stc" pack images frames --out images
"$stc" pack videos frames --out videos

# go_on RANKS COMMAND...: the run on 2 ranks in `whole`, gone on with from step 4 on RANKS ranks in `on-RANKS`.
go_on() {
  local ranks=$1
  shift
  rm -rf "on-$ranks"
  cp -r whole "on-$ranks"
  rm -r "on-$ranks"/{weights.safetensors,summary.json} "on-$ranks"/checkpoints/step-000000{08,12}
  expect 0 'resuming from the checkpoint of step 4 of 12' on_ranks "$ranks" "$@" --run.dir="on-$ranks"
  [ "$(grep -c 'made by 2 ranks of 1 threads' output)" -eq "$((ranks != 2))" ] ||
    die "$ranks ranks: it is said wrongly whether bits differ"
  diff <(plan whole) <(plan "on-$ranks") || die "$ranks ranks: other epochs, samples or rates"
}
# What is decided before anything is computed.
plan() {
  sed -nE 's/.*("step":[0-9]+,"epoch":[0-9]+,"samples":[0-9]+),.*("learning_rate":[^,]*),.*/\1,\2/p' "$1/metrics.jsonl"
}

# Step 1. Batch norm of the images runs over each rank's own, so the losses are others.
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=12 --checkpoint.every_steps=4 --checkpoint.keep=9)
on_ranks 2 "${pretrain[@]}" --run.dir=whole
for ranks in 1 4; do go_on "$ranks" "${pretrain[@]}"; done
expect 2 'train.batch_size is 8, which 3 ranks do not divide' on_ranks 3 "${pretrain[@]}" --run.dir=on-3

# Step 2. Batch norm and losses run over all ranks, so only rounding differs. Two things would enlarge it, and are off here: the
# local loss chooses cells by a threshold, and Adam divides by gradients near zero (with epsilon = 1 it does not).
mv whole step1
train=(train "${small_train[@]}" --data.shards=videos --train.steps=12 --train.batch_size=4 --clips.frame_gap=2
       --checkpoint.every_steps=4 --checkpoint.keep=9 --model.teacher=step1 --model.init=step1 --losses.local_weight=0
       --optimizer.epsilon=1 --optimizer.learning_rate=1e-3 --optimizer.warmup_steps=0)
on_ranks 2 "${train[@]}" --run.dir=whole

# The rounding of a sum of n floats is about sqrt(n) 2^-24 of its terms; the longest sums have n = 4608 (3 x 3 x 512), and 20
# layers stand one after the other: sqrt(20 * 4608) * 2^-24 = 2e-5. Each step since the resume adds its own.
losses() {
  sed -nE 's/.*"step":([0-9]+),.*"total":([^,]*),"reconstruction0":([^,]*),"reconstruction1":([^,]*),.*/\1 \2 \3 \4/p' \
    "$1/metrics.jsonl"
}
for ranks in 1 2 4; do
  go_on "$ranks" "${train[@]}"
  paste <(losses whole) <(losses "on-$ranks") | awk -v ranks="$ranks" '
    { allowed = $1 <= 4 || ranks == 2 ? 0 : 2e-5 * ($1 - 4)
      for (i = 2; i <= 4; i++) {
        difference = ($i - $(i + 4)) / $i
        if (difference < 0) difference = -difference
        if (!(difference <= allowed)) { print "step " $1 ": " $i " on 2 ranks, " $(i + 4) " on " ranks; bad = 1 }
      } }
    END { exit bad || NR != 12 }' || die "step 2 on $ranks ranks is another training"
done
