#!/usr/bin/env bash
# A disk that fills up while a run trains: the run says so and goes on, the last whole checkpoint stays; a stop that could not
# be saved and finished weights that could not be written end with 1; with room again the same command ends with the weights
# of an undisturbed run. Needs a file system of its own; skipped where none can be mounted.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

# A namespace of our own, so that nothing stays mounted whatever happens.
if [ "${STC_IN_NAMESPACE:-}" != yes ]; then
  cd /
  rm -rf "$work"
  if ! unshare --user --map-root-user --mount true 2> /dev/null; then
    echo 'SKIPPED: no user and mount namespaces here, so no small disk can be made'
    exit 77
  fi
  STC_IN_NAMESPACE=yes exec unshare --user --map-root-user --mount bash "$repository/tests/integration/full_disk_test.sh" "$stc"
fi

make_frames frames 12
"$stc" pack images frames --out images
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=8 --checkpoint.every_steps=2)
"${pretrain[@]}" --run.dir=whole

checkpoint_kib=$(du -sk whole/checkpoints/step-00000008 | cut -f1)
weights_kib=$(du -sk whole/weights.safetensors | cut -f1)
mkdir small
mount -t tmpfs tmpfs small
trap 'umount "$work/small"; rm -rf "$work"' EXIT
room() { mount -o "remount,size=$1k" small; }
only_the_first_checkpoint() {
  [ "$(ls -A small/run/checkpoints)" = step-00000002 ] || die 'there should be the first checkpoint and nothing else'
}

# Room for the finished weights, but not for a second checkpoint: the saves of steps 4, 6 and 8 fail.
room $((checkpoint_kib + weights_kib * 3 / 2))
expect 0 'small/run/checkpoints/step-00000004 was not written.*No space left on device.*resumes from the checkpoint of step 2' \
  "${pretrain[@]}" --run.dir=small/run
[ "$(grep -c 'was not written' output)" -eq 3 ] || die 'not each failed save was told'
only_the_first_checkpoint
cmp whole/weights.safetensors small/run/weights.safetensors || die 'failed saves changed the training'

# A stop by a signal whose save fails.
rm -rf small/run
"${pretrain[@]}" --run.dir=small/run --train.steps=1000 > run.log 2>&1 &
run=$!
until grep -q 'step-00000004 was not written' run.log; do
  kill -0 "$run" 2> /dev/null || { cat run.log; die 'the run ended, but it should go on'; }
done
kill -USR1 "$run"
code=0
wait "$run" || code=$?
[ "$code" -eq 1 ] || { cat run.log; die "a stop that was not saved ended with $code; expected 1"; }
grep -Eq 'stopped by signal 10 after step [0-9]+, but this step is not saved.*resumes from the checkpoint of step 2' run.log ||
  { cat run.log; die 'it was not said that the stop is not saved'; }
only_the_first_checkpoint

# No room for the finished weights either; then with room.
rm -rf small/run
room $((checkpoint_kib + weights_kib / 2))
expect 1 'all 8 steps are done, but .*No space left on device.*resumes from the checkpoint of step 2' \
  "${pretrain[@]}" --run.dir=small/run
only_the_first_checkpoint
[ ! -e small/run/weights.safetensors ] || die 'an unfinished run has weights'
room $((checkpoint_kib * 9))
expect 0 'resuming from the checkpoint of step 2' "${pretrain[@]}" --run.dir=small/run
cmp whole/weights.safetensors small/run/weights.safetensors || die 'after a full disk the weights differ'
diff <(without_times whole) <(without_times small/run) || die 'after a full disk the metrics differ'
