#!/usr/bin/env bash
# Weights as other programs publish them: imported, and given as they are to a command that takes weights; the same trunk under
# any names gives the same file. What is not one says why.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make() { python3 "$repository/tests/support/published_weights.py" "$@"; }

make plain.safetensors
expect 0 'wrote plain-in\.safetensors: ResNet-18, 100 tensors, input unknown' "$stc" import plain.safetensors plain-in.safetensors
sum() { tail -c 20000000 "$1" | cksum; }

# same NAME TEXT OPTIONS...: a file made by the options is imported to the same tensors, and TEXT is said.
same() {
  local name=$1 text=$2
  shift 2
  make "$name" "$@"
  expect 0 "$text" "$stc" import "$name" "$name.safetensors" --force
  [ "$(sum "$name.safetensors")" = "$(sum plain-in.safetensors)" ] || die "$name: other tensors than those of plain.safetensors"
}
same mmcv.pth "under 'state_dict\.backbone\.'.*100 of 'state_dict\.backbone_t'" --names mmcv --nest state_dict --prefix backbone. \
  --beside backbone_t.
grep -q 'input lab' output || die "the authors' student sees Lab"
same crw.pth 'names of CRW' --names crw --nest model --prefix encoder. --head selfsim_fc
same swav.pth.tar "1 of 'module.projection_head'.*1 of 'module.prototypes'" --prefix module. --head projection_head --head prototypes
same moco.pth.tar "left out, in tensors: 100 of 'state_dict.module.encoder_k'" --format old --nest state_dict \
  --prefix module.encoder_q. --beside module.encoder_k.
same sequential.bin 'names of Sequential' --names sequential --prefix features.
same timm.bin "1 of 'last_linear'" --head last_linear

make dino.pth --prefix student.module.backbone. --beside teacher.backbone.
expect 2 "choose one with --prefix: 'student\.module\.backbone\.', 'teacher\.backbone\.'" "$stc" import dino.pth out.safetensors
expect 0 'wrote' "$stc" import dino.pth dino.safetensors --prefix teacher.backbone. --input rgb
make cifar.pth --prefix module. --reshape conv1.weight=64,3,3,3
expect 3 "'module\.conv1\.weight' is \[64, 3, 3, 3\], expected \[64, 3, 7, 7\].*small images" "$stc" import cifar.pth out.safetensors
[ ! -e out.safetensors ] || die 'a refused file was written'

# As they are, and in which colours.
make_frames frames 3
ffmpeg -nostdin -v error -f lavfi -i color=black:size=160x120 -vf drawbox=40:30:60:50:white:fill,format=gray -frames:v 1 mask.png
propagate() { "$stc" propagate frames --mask mask.png --short-side 64 --out "$@" --force; }
expect 0 'plain\.safetensors: nothing says which colours it was trained on; the input is lab' propagate a --weights plain.safetensors
expect 0 'the input is rgb, which it was trained on' propagate b --weights dino.safetensors
expect 0 'was trained on rgb, and the input is lab, as --input says' propagate c --weights dino.safetensors --input lab
expect 0 'the input is lab, which it was trained on' propagate d --weights mmcv.pth
make short.pth --names crw --prefix encoder. --no-layer4
expect 0 'no layer4; evaluation needs stages 1 to 3 only' propagate e --weights short.pth
expect 2 "choose one with --prefix: 'student\.module" propagate f --weights dino.pth

"$stc" pack images frames --out images
pretrain=("$stc" pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=1 --train.batch_size=2)
expect 0 'finished 1 steps' "${pretrain[@]}" --run.dir=run --model.init=mmcv.pth
expect 0 'the input is rgb, which it was trained on' propagate g --weights run
expect 3 'model\.init.*short\.pth: holds no layer4' "${pretrain[@]}" --run.dir=other --model.init=short.pth
