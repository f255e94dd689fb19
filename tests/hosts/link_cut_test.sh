#!/usr/bin/env bash
# Four ranks on two nodes: they find each other over the nodes' addresses and know their places. The link of a node is cut in
# mid-step: a line names the node; when the link is back the run is started again and ends with the weights of an undisturbed
# one.
#
#   tests/hosts/link_cut_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

make_frames frames 12
"$stc" pack images frames --out images > /dev/null
make_hosts 2 1gbit
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --checkpoint.every_steps=5 --dist.stall_seconds=3
          --dist.timeout_seconds=10)
launch() { on_host 1 "$stc" launch --hosts node-1:2,node-2:2 --ranks 4 "$@"; }

launch -- "${pretrain[@]}" --run.dir=whole --train.steps=40 > whole.log 2>&1 || { cat whole.log; die 'the undisturbed run failed'; }
grep -q '4 ranks on cpu' whole.log || { cat whole.log; die 'not four ranks'; }

launch --max-restarts 8 -- "${pretrain[@]}" --run.dir=cut --train.steps=40 > cut.log 2>&1 &
launcher=$!
until [ -e cut/checkpoints/step-00000005/MANIFEST ]; do
  kill -0 "$launcher" 2> /dev/null || { cat cut.log; die 'the run ended before its first checkpoint'; }
  sleep 0.02
done
cut_link 2
for ((i = 0; i < 100; i++)); do
  if grep -q 'is stalled in' cut.log; then break; fi
  sleep 0.1
done
grep -Eq 'launch: .*is stalled in.*missing rank [23] \(node node-2' cut.log || { cat cut.log; die 'no line names node-2'; }
for ((i = 0; i < 600; i++)); do
  if grep -q 'starting again' cut.log; then break; fi
  sleep 0.1
done
grep -q 'starting again' cut.log || { cat cut.log; die 'the run was not started again'; }
mend_link 2
code=0
wait "$launcher" || code=$?
[ "$code" -eq 0 ] || { cat cut.log; die "the launcher ended with $code"; }
cmp whole/weights.safetensors cut/weights.safetensors || die 'after the cut the weights differ'
cat cut.log
