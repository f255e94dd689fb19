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
positive seconds_per_step "$stc" bench step2 --size 64 --batch 1 --steps 1
positive ranks on_ranks 2 bench allreduce --megabytes 1 --rounds 2 --json
positive stall_seconds "$stc" bench checkpoint --depth 18 --queue 64 --repeats 1 --folder . --json
positive seconds_per_frame "$stc" bench propagation --width 160 --frames 1 --json
