#!/usr/bin/env bash
# Damaged or missing data: one line that names the file, exit code 3, nothing half-written.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 12

# Sources of `pack`.
expect 3 'nowhere: no such file or folder' "$stc" pack images nowhere --out images
mkdir empty
expect 3 'empty: holds no JPEG or PNG image' "$stc" pack images empty --out images
cp -r frames cut
truncate -s 600 cut/004.jpg
expect 3 'cut/004\.jpg: damaged JPEG' "$stc" pack images cut --out images
[ ! -e images ] || die 'a failed pack left its output behind'
expect 0 '11 images in 1 shard.*1 bad left out' "$stc" pack images cut --out without-bad --skip-bad
mkdir junk
echo 'not a video' > junk/clip.mp4
expect 3 'junk/clip\.mp4: does not open as a video' "$stc" pack videos junk --out videos
mkdir -p single/a
cp frames/001.jpg single/a
expect 3 'single/a: has 1 frame; a video needs at least 2' "$stc" pack videos single --out videos
[ ! -e videos ] || die 'a failed pack left its output behind'

# Shards.
expect 0 '12 images in 1 shard' "$stc" pack images frames --out images
expect 2 'images: is already a complete set.*--force' "$stc" pack images frames --out images
expect 0 '12 entries, all good' "$stc" verify images
expect 3 'nowhere: no such folder' "$stc" verify nowhere

cp -r images flipped
shard=flipped/shard-00000.h5
middle=$(($(stat -c %s "$shard") / 2))
byte=$(od -An -tu1 -j "$middle" -N 1 "$shard")
printf "\\x$(printf %02x $((255 - byte)))" | dd of="$shard" bs=1 seek="$middle" conv=notrunc status=none
expect 3 'flipped/shard-00000\.h5: entry [0-9]+ \([0-9]+\.jpg\): .*checksum' "$stc" verify flipped
[ "$(grep -c ': entry ' output)" -eq 1 ] || die 'one flipped byte was reported more or less than once'

cp -r images short
truncate -s 3000 short/shard-00000.h5
expect 3 'short/shard-00000\.h5: holds 3000 bytes' "$stc" verify short
expect 3 'short/shard-00000\.h5: holds 3000 bytes' "$stc" pretrain "${small_pretrain[@]}" --data.shards=short \
  --run.dir=run --train.steps=2

cp -r images foreign
head -c "$(stat -c %s images/shard-00000.h5)" /dev/zero > foreign/shard-00000.h5
expect 3 'foreign/shard-00000\.h5: ' "$stc" verify foreign

# A video with damaged frames: refused with their numbers, or left out whole. A link that leads to itself is bad data everywhere.
mkdir videos
ffmpeg -loglevel error -f lavfi -i testsrc2=s=160x120:r=10 -frames:v 12 -c:v libx264 -bf 0 -pix_fmt yuv420p videos/damaged.mp4
cp videos/damaged.mp4 videos/whole.mp4
IFS=, read -r size position < <(ffprobe -v error -select_streams v -show_entries packet=size,pos -of csv=p=0 videos/damaged.mp4 | sed -n 6p)
dd if=/dev/zero of=videos/damaged.mp4 bs=1 seek=$((position + 40)) count=$((size - 40)) conv=notrunc status=none
expect 3 'videos/damaged\.mp4: 1 of 12 frames is damaged \(at frame 5\)' "$stc" pack videos videos --out clips
[ ! -e clips ] || die 'a refused pack left its folder behind'
expect 0 '^clips: 12 frames of 1 video .* 1 bad left out' "$stc" pack videos videos --out clips --skip-bad
expect 0 '^clips: 6 frames of 1 video' "$stc" pack videos videos/whole.mp4 --out clips --force --fps 5
ln -s loop loop
expect 3 'loop: Too many levels of symbolic links' "$stc" eval davis --data loop --weights random --depth 18 --out evaluated
