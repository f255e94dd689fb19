#!/usr/bin/env bash
# A disk that fills up while a run trains: it says so, the last whole checkpoint stays, and with room again the same command
# ends with the weights of an undisturbed run. Needs a file system of its own; skipped where none can be mounted.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

# A namespace of our own, so that nothing stays mounted whatever happens.
if [ "${STC_IN_NAMESPACE:-}" != yes ]; then
  rm -rf "$work"
  if ! unshare --user --map-root-user --mount true 2> /dev/null; then
    echo 'SKIPPED: no user and mount namespaces here, so no small disk can be made'
    exit 77
  fi
  STC_IN_NAMESPACE=yes exec unshare --user --map-root-user --mount bash "${BASH_SOURCE[0]}" "$stc"
fi

make_frames frames 12
"$stc" pack images frames --out images
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=8 --checkpoint.every_steps=2)
"${pretrain[@]}" --run.dir=whole

# Room for one checkpoint and a half.
checkpoint_kib=$(du -sk whole/checkpoints | cut -f1)
checkpoint_kib=$((checkpoint_kib / $(find whole/checkpoints -name MANIFEST | wc -l)))
mkdir small
mount -t tmpfs -o "size=$((checkpoint_kib * 3 / 2))k" tmpfs small

expect 1 'small/run.*No space left on device' "${pretrain[@]}" --run.dir=small/run
[ -e small/run/checkpoints/step-00000002/MANIFEST ] || die 'the first checkpoint is gone'
[ "$(find small/run/checkpoints -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] || die 'half a checkpoint stayed'
[ ! -e small/run/weights.safetensors ] || die 'an unfinished run has weights'

mount -o "remount,size=$((checkpoint_kib * 9))k" small
expect 0 'going on from the checkpoint of step 2' "${pretrain[@]}" --run.dir=small/run
cmp whole/weights.safetensors small/run/weights.safetensors || die 'after a full disk the weights differ'
