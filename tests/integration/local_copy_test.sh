#!/usr/bin/env bash
# data.local: the data set is copied once, read from there and not from where it came from, and the run is the same as without.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 12
"$stc" pack images frames --out images
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=2)
expect 0 'finished 2 steps' on_ranks 2 "${pretrain[@]}" --run.dir=plain
expect 0 'images: copied to disk, 0 MiB' on_ranks 2 "${pretrain[@]}" --run.dir=copied --data.local=disk
equal_runs plain copied 2

rm images/shard-*.h5
expect 0 'images: is in disk already' on_ranks 2 "${pretrain[@]}" --run.dir=again --data.local=disk
equal_runs plain again 2
expect 3 'shard-00000.h5: is missing; the manifest lists it' \
  on_ranks 2 "${pretrain[@]}" --run.dir=new --data.local=other-disk
[ -z "$(ls other-disk)" ] || die "a copy that failed left something behind: $(ls other-disk)"
