#!/usr/bin/env bash
# Names that are not UTF-8 (an archive from a Chinese Windows), and other odd ones, from pack to report: nothing ends in an error of a
# library, all files are valid text, and a run under such a path resumes.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1
gbk=$'\xc4\xe3\xba\xc3'
shown='\\xc4\\xe3\\xba\\xc3'

valid_text() { for file in "$@"; do iconv -f UTF-8 -t UTF-8 "$file" > /dev/null || die "$file is not UTF-8"; done; }

make_frames frames 12
mv frames "$gbk"
expect 0 "^images$shown: 12 images in 1 shard" "$stc" pack images "$gbk" --out "images$gbk"
expect 0 "12 entries, all good" "$stc" verify "images$gbk"

# The same command resumes; config.toml is valid TOML and names the same folder.
pretrain=("$stc" pretrain "${small_pretrain[@]}" "--data.shards=images$gbk" "--run.dir=run$gbk" --train.steps=2)
expect 0 '' "${pretrain[@]}"
valid_text "run$gbk/config.toml" "run$gbk/summary.json" "run$gbk/metrics.jsonl"
expect 0 'finished' "${pretrain[@]}"
rm "run$gbk/summary.json" "run$gbk/weights.safetensors"
expect 0 'resuming from the checkpoint of step 2' "${pretrain[@]}"

# An evaluation of such clips: a second start resumes, the report finds its pictures.
for clip in "$gbk" $'line\nbreak' '-dash' "quote'\"," "$(printf 'n%.0s' {1..255})"; do
  mkdir -p "davis$gbk/JPEGImages/480p/$clip" "davis$gbk/Annotations/480p/$clip"
  cp "$gbk"/00[1-3].jpg "davis$gbk/JPEGImages/480p/$clip"
  ffmpeg -nostdin -v error -i "$gbk/001.jpg" -vf 'drawbox=c=black:t=fill,drawbox=x=4:y=4:w=8:h=8:c=white:t=fill,format=gray,lut=c0=gt(val\,127)' \
    -pix_fmt gray "davis$gbk/Annotations/480p/$clip/001.png"
  for frame in 002 003; do cp "davis$gbk/Annotations/480p/$clip/001.png" "davis$gbk/Annotations/480p/$clip/$frame.png"; done
done
evaluate=("$stc" eval davis --data "davis$gbk" --weights "run$gbk" --depth 18 --short-side 64 --out "eval$gbk")
expect 0 "$shown +1 " "${evaluate[@]}"
expect 0 '5 clips were evaluated by an earlier start' "${evaluate[@]}"
valid_text "eval$gbk"/*.json "eval$gbk"/*.csv "eval$gbk"/records/*
expect 0 "$shown +1 " "$stc" score davis --truth "davis$gbk" --prediction "eval$gbk" --json score.json --csv score.csv
valid_text score.json score.csv
expect 0 '1 evaluation' "$stc" report "eval$gbk" "run$gbk" --out report.html
valid_text report.html
[ "$(grep -o 'data:image/jpeg;base64' report.html | wc -l)" -ge 5 ] || die 'the report lacks pictures of clips with odd names'

# A path that Prometheus's configuration cannot hold is refused, where a Prometheus is.
if command -v prometheus > /dev/null; then expect 2 'is not a UTF-8 name' "$stc" monitor "run$gbk"; fi
