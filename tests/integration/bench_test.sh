#!/usr/bin/env bash
# Each `stc bench` in a small form: one line of JSON, whose numbers are positive.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

# positive KEY COMMAND...: the last line is a JSON object, and its KEY a number above 0.
positive() {
  local key=$1
  shift
  "$@" > said 2> errors || { cat errors; die "$*"; }
  tail -n 1 said | grep -Eq "^\\{\"benchmark\":.*\"$key\":[0-9.]*[1-9].*\\}$" || die "$* says $(cat said); expected $key above 0"
}

make_frames frames 12
"$stc" pack images frames --out images > pack.log
"$stc" pack videos frames --out videos > pack.log
positive samples_per_second "$stc" bench loader images --size 32 --batch 4 --steps 2
grep -q '"samples":"two views of an image"' said || die "$(cat said)"
positive samples_per_second "$stc" bench loader videos --size 32 --batch 2 --steps 2 --json
[ "$(wc -l < said)" -eq 1 ] || die "--json says more than a line: $(cat said)"
positive samples_per_second "$stc" bench loader --size 32 --batch 4 --steps 2
expect 3 'nowhere: no such folder' "$stc" bench loader nowhere
# Both steps of the training say the same of themselves; the defaults are a CPU in float32.
for step in step1 step2; do
  for key in seconds_per_step images_per_second launches tflops peak_memory_bytes; do
    if [ "$key" = seconds_per_step ]; then
      positive "$key" "$stc" bench "$step" --size 64 --batch 2 --steps 1
    else
      grep -Eq "\"$key\":[0-9.e-]*[1-9]" said || die "bench $step says $(cat said); expected $key above 0"
    fi
  done
  grep -Eq '"device":"cpu","precision":"float32","memory_format":"contiguous","deterministic":false,.*"host_syncs":[0-9]+,.*"mfu":null' said ||
    die "bench $step: $(cat said)"
done
positive seconds_per_step "$stc" bench step1 --size 32 --batch 3 --queue 64 --steps 1 --precision bf16 \
  --memory-format channels_last --deterministic --json
grep -q '"queue":64,.*"precision":"bf16","memory_format":"channels_last","deterministic":true' said || die "$(cat said)"
expect 2 'size is 72; expected a multiple of 32' "$stc" bench step2 --size 72
positive ranks on_ranks 2 bench allreduce --megabytes 1 --rounds 2 --json
positive stall_seconds "$stc" bench checkpoint --depth 18 --queue 64 --repeats 1 --folder . --json
positive seconds_per_frame "$stc" bench propagation --width 160 --frames 1 --json
