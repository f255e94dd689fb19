#!/usr/bin/env bash
# JHMDB and VIP from end to end: what is written, scored again from files, on one rank and on two; each bad input named in one
# line, exit code 3, and other clips unharmed where asked.
trees=$(realpath "$2")
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

"$trees" .
random=(--weights random:5 --depth 18 --threads 1)
jhmdb=(eval jhmdb --data JHMDB "${random[@]}" --side 128 --half-window 3)
vip=(eval vip --data VIP_Fine "${random[@]}" --side 128 --half-window 3)

# one_line CODE TEXT COMMAND...: as expect, and it is said once.
one_line() {
  expect "$@"
  [ "$(grep -Ec "$2" output)" -eq 1 ] || { cat output >&2; die "said more than once: $2"; }
}

# JHMDB: the joints march with the picture, so features follow them better than standing still does.
expect 0 'mean PCK' "$stc" "${jhmdb[@]}" --out pose --overlays
[ "$(wc -l < pose/jump/a.csv)" -eq 76 ] || die 'jump/a.csv should have 5 frames of 15 joints'
for file in overlays/jump/a/00005.jpg overlays/jump/a/truth/00005.jpg overlays/wave/b/00001.jpg overlays/wave/b.mp4 results.csv per-clip.csv results.json; do
  [ -s "pose/$file" ] || die "pose/$file is missing"
done
grep -q '"pck_without_first_frame"' pose/results.json || die 'results.json lacks the rule without the first frame'
expect 0 'mean PCK' "$stc" score jhmdb --truth JHMDB --prediction pose --csv again.csv --clips again-clips.csv
cmp pose/results.csv again.csv
cmp pose/per-clip.csv again-clips.csv
awk -F, '$1 == "reference" && $2 == "mean" && $5 < 0.8 { exit 1 }' pose/results.csv || die 'the joints were not followed'
on_ranks 2 "${jhmdb[@]}" --out pose-2 > /dev/null
cmp pose/results.csv pose-2/results.csv
expect 0 '2 clips were evaluated by an earlier start' on_ranks 2 "${jhmdb[@]}" --out pose-2

# The data set's own split: one clip. Lists with the columns the other way round.
expect 0 'mean PCK' "$stc" score jhmdb --truth . --prediction pose --split JHMDB/splits --clips split.csv
[ "$(wc -l < split.csv)" -eq 2 ] || die 'split 1 should have one clip'
awk '{ print "/elsewhere/" $2, "/elsewhere/" $1 }' JHMDB/val_list.txt > turned.txt
expect 0 'mean PCK' "$stc" score jhmdb --truth JHMDB --prediction pose --split turned.txt --csv turned.csv
cmp pose/results.csv turned.csv

mat=JHMDB/joint_positions/wave/b/joint_positions.mat
cp "$mat" good.mat
bad_mat() {
  one_line 3 "$mat: $1" "$stc" "${jhmdb[@]}" --out bad-pose --force
}
cp bad/other.mat "$mat" && bad_mat 'holds no pos_img; expected doubles \[2, 15, frames\]'
cp bad/misshapen.mat "$mat" && bad_mat 'pos_img is \[15, 2, 5\]'
echo joints > "$mat" && bad_mat 'is not a MATLAB file of version 5'
head -c $(($(stat -c %s good.mat) - 20)) good.mat > "$mat" && bad_mat 'is cut short'
one_line 3 '1 of 2 clips were left out of the numbers' "$stc" "${jhmdb[@]}" --out bad-pose --force --keep-going
cmp bad-pose/jump/a.csv pose/jump/a.csv
cp good.mat "$mat"

echo 'JHMDB/joint_positions/run/x/joint_positions.mat JHMDB/Rename_Images/run/x' > absent.txt
one_line 3 "absent.txt: lists clip 'run/x', which is absent" "$stc" "${jhmdb[@]}" --split absent.txt --out absent
cat JHMDB/val_list.txt >> absent.txt
one_line 3 "1 of 3 clips were left out of the numbers; the first: absent.txt: lists clip 'run/x'" \
  "$stc" "${jhmdb[@]}" --split absent.txt --out absent --keep-going
cmp pose/results.csv absent/results.csv
mkdir empty && mv JHMDB/Rename_Images/wave/b/*.png empty
one_line 3 'Rename_Images/wave/b: holds no image' "$stc" "${jhmdb[@]}" --out no-images
mv empty/*.png JHMDB/Rename_Images/wave/b
sed -i '$d' pose/wave/b.csv
one_line 3 'pose/wave/b.csv: holds no joint 14 of frame 2' "$stc" score jhmdb --truth JHMDB --prediction pose
rm pose/wave/b.csv
one_line 3 'pose/wave/b.csv: no such prediction' "$stc" score jhmdb --truth JHMDB --prediction pose
expect 3 '1 sequence\(s\) left out' "$stc" score jhmdb --truth JHMDB --prediction pose --clips some.csv --keep-going
grep '^jump/a' again-clips.csv | cmp - <(tail -n +2 some.csv)

# VIP: masks are named as the images are.
expect 0 'pixel accuracy' "$stc" "${vip[@]}" --out parts --overlays
for file in videos1/000000000004.png overlays/videos12/{,truth/}000000000002.jpg overlays/videos12.mp4 results.csv per-sequence.csv results.json; do
  [ -s "parts/$file" ] || die "parts/$file is missing"
done
expect 0 'pixel accuracy' "$stc" score vip --truth VIP_Fine --prediction parts --csv again.csv --clips again-clips.csv
cmp parts/results.csv again.csv
cmp parts/per-sequence.csv again-clips.csv
awk -F, '$1 == "mean" && $2 < 0.5 { exit 1 }' parts/results.csv || die 'the parts were not followed'
on_ranks 2 "${vip[@]}" --out parts-2 > /dev/null
cmp parts/results.csv parts-2/results.csv
expect 0 '1.0' "$stc" score vip --truth VIP_Fine --prediction VIP_Fine/Category_ids --json -

mask=VIP_Fine/Category_ids/videos1/000000000002.png
cp "$mask" good.png
bad_mask() {
  one_line 3 "$mask: $1" "$stc" "${vip[@]}" --out bad-parts --force
  one_line 3 "$mask: $1" "$stc" score vip --truth VIP_Fine --prediction parts
}
cp bad/label20.png "$mask" && bad_mask 'holds label 20; expected parts 0 to 19'
ffmpeg -nostdin -v error -y -i good.png -pix_fmt rgb24 "$mask" && bad_mask 'is an 8-bit RGB PNG'
ffmpeg -nostdin -v error -y -i good.png -pix_fmt gray16be "$mask" && bad_mask 'is a 16-bit grey PNG'
one_line 3 '1 of 2 clips were left out of the numbers' "$stc" "${vip[@]}" --out bad-parts --force --keep-going
expect 3 '1 sequence\(s\) left out' "$stc" score vip --truth VIP_Fine --prediction parts --clips some.csv --keep-going
grep '^videos12,' again-clips.csv | cmp - <(tail -n +2 some.csv)
rm "$mask"
one_line 3 'Images/videos1/000000000002.png: has no annotation' "$stc" "${vip[@]}" --out no-mask
mv VIP_Fine/Category_ids/videos1/000000000004.png 4.png
cp good.png "$mask"
one_line 3 "'videos1': 4 images in .*, 3 annotations" "$stc" "${vip[@]}" --out counts
mv 4.png VIP_Fine/Category_ids/videos1/000000000004.png
cp bad/small.png parts/videos1/000000000003.png
one_line 3 'videos1/000000000003.png: is 40x60 \(height x width\); its truth is 96x128' \
  "$stc" score vip --truth VIP_Fine --prediction parts
echo videos99 > absent.txt
one_line 3 'videos99: no such folder' "$stc" "${vip[@]}" --split absent.txt --out absent-parts

# A frame of another size in the middle of a clip.
ffmpeg -nostdin -v error -y -i VIP_Fine/Images/videos1/000000000003.png -vf scale=100:80 \
  -frames:v 1 other.png && mv other.png VIP_Fine/Images/videos1/000000000003.png
one_line 3 "000000000003.png: is 100x80; expected the first frame's 128x96" "$stc" "${vip[@]}" --out other-size
