#!/usr/bin/env bash
# `stc slurm submit` where no Slurm is needed: what it shows, what it refuses, and what it hands to sbatch.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

config=$repository/configs/demo/pretrain.toml
submit=("$stc" slurm submit pretrain --config "$config")
sizes='--nodes=2 --ntasks-per-node=4 --cpus-per-task=3 --time=4:00:00'
shown="STC=$stc STC_SLURM=$repository/slurm sbatch $sizes --account=a $repository/slurm/train.sbatch pretrain --config $config"
expect 0 "^$shown '--run.dir=runs/it'\\\\''s mine'\$" "${submit[@]}" ${sizes//=/ } --dry-run "--run.dir=runs/it's mine" -- --account=a
grep -q "^pretrain on 8 ranks, 8 samples per rank and step, run folder runs/it's mine" output || die 'the ranks are not shown'
grep -q 'warning: data.shards: runs/demo/data/images does not exist yet' output || die 'a missing data set is not told'
expect 0 'sbatch --nodes=4 --ntasks-per-node=8 --cpus-per-task=1 --gpus-per-node=8 /' \
  "${submit[@]}" --nodes 4 --gpus-per-node 8 --run.device=cuda --dry-run

# Refused before anything is submitted.
expect 2 'train.batch_size is 64, which 3 ranks do not divide; choose a multiple of 3' "${submit[@]}" --nodes 3
expect 2 "unknown key 'train\.batchsize'.*'train\.batch_size'" "${submit[@]}" --train.batchsize=8
expect 2 'nowhere\.toml cannot be read' "$stc" slurm submit train --config nowhere.toml
expect 2 'model.teacher is empty' "$stc" slurm submit train --run.dir=run --data.shards=videos
expect 2 'gpus-per-node is 8, but run.device is cpu' "${submit[@]}" --gpus-per-node 8
expect 2 'run.device is cuda, but the job asks for no GPU; give --gpus-per-node' "${submit[@]}" --run.device=cuda
expect 2 'ntasks-per-node is 4, but --gpus-per-node is 2' "${submit[@]}" --gpus-per-node 2 --ntasks-per-node 4 --run.device=cuda
expect 2 "unknown argument '--gpu-per-node=8'" "${submit[@]}" --gpu-per-node=8
expect 2 "unknown argument '--fresh'" "${submit[@]}" --fresh
expect 2 "'gpu' is not an option of sbatch" "${submit[@]}" -- --partition gpu
expect 2 'elsewhere/train.sbatch: no such file' "${submit[@]}" --scripts elsewhere
expect 2 'sbatch cannot be started: No such file or directory; submit on a login node' env PATH=/nonexistent "${submit[@]}"

# The line that is shown does what the command does.
mkdir bin
cat > bin/sbatch << 'SH'
#!/bin/sh
printf '%s\n' "$STC" "$STC_SLURM" "$@"
exit 7
SH
chmod +x bin/sbatch
export PATH=$work/bin:$PATH
code=0
"${submit[@]}" '--run.dir=a b' > shown 2> said || code=$?
[ "$code" -eq 7 ] || die "sbatch ended with 7, stc slurm submit with $code: $(cat said)"
head -n 1 shown > line
tail -n +2 shown > by-program
(env -u STC -u STC_SLURM bash line || true) > by-line
grep -qx -- '--run.dir=a b' by-program || die "an argument with a blank is not handed on as it is: $(cat by-program)"
cmp by-program by-line || die 'the line that is shown submits something else'
