#!/usr/bin/env bash
# Runs the commands of docs/operations.md (a workstation, a cluster, many nodes) in their order, each as it stands there, but
# those that are marked as not run here; a job has to end well before the next command begins.
#
#   tests/slurm/operations_test.sh STC
source "$(dirname "${BASH_SOURCE[0]}")/slurm.sh"
start_slurm
for folder in slurm docs configs; do ln -s "$repository/$folder" $folder; done
mkdir bin
ln -s "$stc" bin/stc
printf '#!/bin/sh\nexec %s --wait "$@"\n' "$(command -v sbatch)" > bin/sbatch
chmod +x bin/sbatch
export PATH=$work/bin:$PATH STC=$stc

# What the page calls the user's own.
make_frames photos 12
"$stc" synthesize photos --out clips --clips 2 --frames 4 --height 96 --width 128
cat > my.toml << 'TOML'
[train]
steps = 3
batch_size = 8
[images]
size = 32
[contrastive]
queue_size = 64
TOML
cat > sweep.toml << 'TOML'
out = "results/sweep"
weights = ["runs/third"]
[[benchmark]]
name = "davis"
data = "clips"
[propagation]
short_side = 96
TOML

# Indented lines are commands. A paragraph that says so marks those that follow it.
awk '/^## / { mine = /A workstation|A Slurm cluster|Many nodes/ }
     /^    / { if (mine && paragraph !~ /not run here/) print substr($0, 5); after = 1; next }
     /^[^ ]/ { paragraph = (after ? "" : paragraph) " " tolower($0); after = 0 }
     /^$/ { after = 1 }' "$repository/docs/operations.md" > commands.sh
[ "$(grep -c '^sbatch\|^stc \|^STC_STAGE' commands.sh)" -ge 12 ] || die "commands of the page are lost: $(cat commands.sh)"
bash -exo pipefail commands.sh > output 2>&1 || { cat output *.out; die 'a command of docs/operations.md fails'; }
tail -n 3 stc-smoke-*.out | grep -q 'smoke: passed' || die 'the smoke test did not pass'
for run in first second third staged; do
  cmp runs/first/weights.safetensors runs/$run/weights.safetensors || die "the runs of the page differ: first, $run"
done
[ -s results/third/results.json ] && [ -s results/sweep/sweep.html ] && [ -s first.html ] || die 'results are missing'
