#!/usr/bin/env bash
# kill -9 and the same command again: the finished run is byte-equal to one that was left alone, also where the kill falls into
# the writing of a checkpoint, and where any file of the newest checkpoint is damaged. And what a folder that is finished, of
# another run, or in use answers.
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
# While the writer writes the next: its temporary folder is there, before and after the kill.
until compgen -G 'killed/checkpoints/.tmp-*' > /dev/null; do
  kill -0 "$victim" 2> /dev/null || { cat killed.log; die 'the run ended before its second checkpoint'; }
done
kill -9 "$victim"
wait "$victim" 2> /dev/null || true
compgen -G 'killed/checkpoints/.tmp-*' > /dev/null || die 'the kill came after the checkpoint was written'
[ ! -e killed/weights.safetensors ] || die 'the run was over before it was killed'

expect 0 'resuming from the checkpoint of step [0-9]+' "${pretrain[@]}" --run.dir=killed
equal_runs whole killed 16
if compgen -G 'killed/checkpoints/.tmp-*'; then die 'the half-written checkpoint stayed'; fi

expect 0 'finished' "${pretrain[@]}" --run.dir=killed
expect 2 'optimizer\.learning_rate' "${pretrain[@]}" --run.dir=killed --optimizer.learning_rate=0.01

# Saved by the clock: after every step, and nothing else changes.
"${pretrain[@]}" --run.dir=clock --checkpoint.every_steps=1000 --checkpoint.every_minutes=1e-9 --checkpoint.keep=100
[ "$(find clock/checkpoints -name MANIFEST | wc -l)" -eq 16 ] || die 'checkpoint.every_minutes did not save each step'
equal_runs whole clock 16

# Damage to each file of the newest checkpoint: the one before it is taken, and it is said why.
flip() { printf '\x01' | dd of="$1" bs=1 seek="$(($(stat -c %s "$1") / 2))" conv=notrunc 2> /dev/null; }
damaged() { # damaged NAME TEXT
  rm -f damaged/weights.safetensors damaged/summary.json
  expect 0 "skipped checkpoint step-00000016: $2" "${pretrain[@]}" --run.dir=damaged
  grep -q 'resuming from the checkpoint of step 12' output || die "$1: the checkpoint before was not taken"
  equal_runs whole damaged 16
}
cp -r whole damaged
newest=damaged/checkpoints/step-00000016
for file in model.safetensors method.safetensors optimizer.safetensors state.json; do
  rm "$newest/$file"
  damaged "$file deleted" "$file is missing"
  truncate -s 20 "$newest/$file"
  damaged "$file cut" "$file is 20 bytes, MANIFEST says"
  flip "$newest/$file"
  damaged "$file changed" "$file has changed"
done
rm "$newest/MANIFEST"
damaged 'MANIFEST deleted' 'it has no MANIFEST'
truncate -s 20 "$newest/MANIFEST"
damaged 'MANIFEST cut' 'MANIFEST is damaged'
flip "$newest/MANIFEST"
damaged 'MANIFEST changed' ''
