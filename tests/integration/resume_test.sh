#!/usr/bin/env bash
# kill -9 and the same command again: the finished weights are bit-equal to those of a run that was left alone. And what a
# folder that is finished, of another run, or in use answers.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=16 --checkpoint.every_steps=4)
"${pretrain[@]}" --run.dir=whole

"${pretrain[@]}" --run.dir=killed > killed.log 2>&1 &
victim=$!
until [ -e killed/checkpoints/step-00000004/MANIFEST ]; do
  kill -0 "$victim" 2> /dev/null || { cat killed.log; die 'the run ended before its first checkpoint'; }
done
expect 2 'killed' "${pretrain[@]}" --run.dir=killed
kill -9 "$victim"
wait "$victim" 2> /dev/null || true
[ ! -e killed/weights.safetensors ] || die 'the run was over before it was killed'

expect 0 'going on from the checkpoint of step [0-9]+' "${pretrain[@]}" --run.dir=killed
cmp whole/weights.safetensors killed/weights.safetensors || die 'resumed weights differ from those of a whole run'
[ "$(wc -l < killed/metrics.jsonl)" -eq 16 ] || die 'the resumed metrics do not hold each step once'

expect 0 'finished' "${pretrain[@]}" --run.dir=killed
expect 2 'optimizer\.learning_rate' "${pretrain[@]}" --run.dir=killed --optimizer.learning_rate=0.01

# Cut the newest checkpoint short: the one before it is taken, and it is said why.
"${pretrain[@]}" --run.dir=damaged
rm -f damaged/weights.safetensors damaged/summary.json
newest=$(find damaged/checkpoints -name 'step-*' | sort | tail -1)
truncate -s 1000 "$newest/model.safetensors"
expect 0 "$(basename "$newest")" "${pretrain[@]}" --run.dir=damaged
cmp whole/weights.safetensors damaged/weights.safetensors || die 'after a damaged checkpoint the weights differ'
