#!/usr/bin/env bash
# Weights that are not what the run needs: another model's, cut short, or no weights at all. One line naming the key and the
# file, exit code 3, no weights written.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 12
"$stc" pack images frames --out images
"$stc" pack videos frames --out videos
"$stc" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=step1 --train.steps=2
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=run --train.steps=2)
train=("$stc" train "${small_train[@]}" --data.shards=videos --clips.frame_gap=2 --run.dir=run --train.steps=2)

expect 3 'model\.init.*step1/weights\.safetensors.*ResNet-18.*ResNet-50' "${pretrain[@]}" --model.depth=50 \
  --model.init=step1/weights.safetensors
expect 3 'model\.init.*step1/weights\.safetensors' "${train[@]}" --model.depth=50 --model.teacher=step1 \
  --model.init=step1/weights.safetensors
head -c 1000 step1/weights.safetensors > cut.safetensors
expect 3 'model\.teacher.*cut\.safetensors' "${train[@]}" --model.teacher=cut.safetensors
cp frames/001.jpg picture.safetensors
expect 3 'model\.teacher.*picture\.safetensors' "${train[@]}" --model.teacher=picture.safetensors
expect 3 'model\.init.*nowhere' "${pretrain[@]}" --model.init=nowhere
[ ! -e run/weights.safetensors ] || die 'a run that could not start has weights'

# Another model's checkpoint put where this run's should be.
rm -rf run
"${pretrain[@]}"
"$stc" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=deep --train.steps=2 --model.depth=50
rm -rf run/checkpoints run/summary.json run/weights.safetensors
cp -r deep/checkpoints run/
expect 3 'checkpoint of step 2.*ResNet-18' "${pretrain[@]}"
[ ! -e run/weights.safetensors ] || die "another model's checkpoint was taken"
