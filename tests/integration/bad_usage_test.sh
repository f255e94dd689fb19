#!/usr/bin/env bash
# Wrong configuration or use: one line that says what was seen and what was expected, exit code 2, no run folder.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 12
expect 0 '12 images' "$stc" pack images frames --out images
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=run --train.steps=2)

expect 2 "unknown key 'train\.batchsize'.*'train\.batch_size'" "${pretrain[@]}" --train.batchsize=8
expect 2 'train\.steps is "two"; expected a whole number' "${pretrain[@]}" --train.steps=two
expect 2 'train\.steps is 0; expected' "${pretrain[@]}" --train.steps=0
expect 2 'nowhere\.toml cannot be read' "$stc" pretrain --config nowhere.toml
printf '[train]\nsteps = 2\nstep_size = 3\n' > unknown.toml
expect 2 "unknown\.toml.*3.*step_size" "$stc" pretrain --config unknown.toml
expect 2 'batch_size.*8.*3 ranks' on_ranks 3 pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=run --train.steps=2
expect 2 "unknown command 'pretrian'; did you mean 'pretrain'" "$stc" pretrian
expect 2 "'stc eval' needs a subcommand: davis, jhmdb, vip" "$stc" eval
expect 2 "data is required; .stc eval davis -h." "$stc" eval davis
# A wrong or missing value is named, not what follows it.
expect 2 "ranks: '0' is not a number above 0.*stc launch -h" "$stc" launch --ranks=0 -- train --config F
expect 2 'ranks.*two.*stc launch -h' "$stc" launch --ranks two train --config F
expect 2 'world.*eight.*stc plan -h' "$stc" plan --world eight pretrain
expect 2 'out.*stc pack images -h' "$stc" pack images frames --out
expect 2 'quality.*best.*stc pack images -h' "$stc" pack images frames --quality best --out there
# What everybody types: the command of launch without --.
expect 2 'nowhere\.toml cannot be read' "$stc" launch --ranks 1 train --config nowhere.toml
expect 2 "unknown command 'trian'; did you mean 'train'" "$stc" launch --ranks=1 trian --config nowhere.toml
expect 2 "unknown option '--rnks=1'; did you mean '--ranks'" "$stc" launch --rnks=1 train --config nowhere.toml
expect 2 "'--fps' is no option of .stc eval davis., but of .stc pack videos., .stc propagate." "$stc" eval davis --fps 3
expect 2 "unknown option '--frobnicate'; .stc eval davis -h." "$stc" eval davis --frobnicate
[ ! -e run ] || die 'a refused run left its folder behind'
