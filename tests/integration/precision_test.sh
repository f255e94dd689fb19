#!/usr/bin/env bash
# Settings that change how a step is computed, on two ranks: they learn, stay near float32's losses, and leave the ranks
# equal (dist.check_every=1 would stop the run). Few and small steps: without instructions for bf16 and half a CPU takes
# twenty times as long for them. And a loss that is not finite stops all ranks by name.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images > log 2>&1
"$stc" pack videos frames --out videos > log 2>&1

step1() { # NAME, keys
  local name=$1
  shift
  on_ranks 2 pretrain "${small_pretrain[@]}" --data.shards=images --run.dir="$name" --train.steps=3 --dist.check_every=1 "$@" \
    > log 2>&1 || { cat log >&2; die "$name failed"; }
}
step2() {
  local name=$1
  shift
  on_ranks 2 train "${small_train[@]}" --data.shards=videos --run.dir="$name" --train.steps=3 --dist.check_every=1 \
    --train.batch_size=4 --clips.size=32 --clips.frame_gap=2 --model.teacher=step1/weights.safetensors --model.init=step1/weights.safetensors "$@" \
    > log 2>&1 || { cat log >&2; die "$name failed"; }
}
losses() { sed -n 's/.*"total":\([-0-9.e+]*\).*/\1/p' "$1/metrics.jsonl"; }
# near A B: the total losses of two runs are within 3 % in the first step and, since small differences grow, within 20 % in
# the third, and not all equal.
near() {
  paste <(losses "$1") <(losses "$2") | awk '
    { d = ($1 - $2) / $1; if (d < 0) d = -d; if (d > worst) worst = d; if (d > (NR == 1 ? 0.03 : 0.2)) far = 1 }
    END { exit !(NR == 3 && !far && worst > 0) }' ||
    die "losses of $1 and $2: $(paste <(losses "$1") <(losses "$2") | tr '\t\n' ' ;')"
}

step1 step1
step1 step1-bf16 --run.precision=bf16
step1 step1-others --dist.compression=bf16 --run.memory_format=channels_last --optimizer.clip_norm=0.5
step1 step1-accumulated --train.accumulate=2
near step1 step1-bf16
near step1 step1-others
[ "$(losses step1-accumulated | wc -l)" -eq 3 ] || die 'a step is not one line of the metrics'

step2 step2
step2 step2-bf16 --run.precision=bf16
step2 step2-accumulated --train.accumulate=2
near step2 step2-bf16
near step2 step2-accumulated

# Half precision: a resumed run has the loss's scale of the whole one.
step2 whole --run.precision=fp16 --checkpoint.every_steps=1 --dist.compression=fp16
near step2 whole
cp -r whole resumed
rm -r resumed/checkpoints/step-00000003 resumed/weights.safetensors resumed/summary.json
step2 resumed --run.precision=fp16 --checkpoint.every_steps=1 --dist.compression=fp16
cmp whole/weights.safetensors resumed/weights.safetensors || die 'a resumed run in half precision has other weights'

# begun_again A B KEYS: B is the run A without its last step, and ends as A did.
begun_again() {
  local whole=$1 resumed=$2
  shift 2
  cp -r "$whole" "$resumed"
  rm -r "$resumed"/{checkpoints/step-00000003,weights.safetensors,summary.json}
  step2 "$resumed" --checkpoint.every_steps=1 "$@"
  cmp "$whole/weights.safetensors" "$resumed/weights.safetensors" || die "$resumed has other weights than $whole"
}

# Weights in channels_last are files like all others; what is left to "auto" stays as the run began.
step2 last --run.memory_format=channels_last --run.precision=bf16 --checkpoint.every_steps=1
begun_again last last-resumed
grep -q 'precision bf16 (as before), channels_last (as before)' log || die 'it was not said what auto became'
grep -q 'precision = "bf16"' last-resumed/config.toml || die 'config.toml does not hold what auto became'

# On a CPU, run.deterministic changes no bit, and a run of an earlier version resumes with its bits.
step2 deterministic --run.deterministic=true --checkpoint.every_steps=1
grep -q 'precision float32 (auto), contiguous (auto), deterministic' log || die 'it was not said what auto became'
cmp step2/weights.safetensors deterministic/weights.safetensors || die 'run.deterministic changed bits on a CPU'
cp -r deterministic earlier
sed -i '/^deterministic/d' earlier/config.toml
begun_again earlier earlier-resumed

expect 2 'run.precision is tf32, which only a GPU computes, and run.device is cpu' \
  on_ranks 2 pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=odd --run.precision=tf32
expect 2 'precision tf32 needs a GPU' "$stc" propagate frames --mask "$repository/scripts/demo/dog-first-frame.png" \
  --weights random --depth 18 --out odd --device cpu --precision tf32
expect 1 "step [2-9], rank [01]: (loss '[a-z0-9_]+' is not finite|the gradient's norm is)" \
  on_ranks 2 pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=broken --train.steps=8 --optimizer.learning_rate=1e30
expect 2 'train.accumulate is 3; expected a divisor of the batch of one rank, which is 4' \
  on_ranks 2 pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=odd --train.accumulate=3
