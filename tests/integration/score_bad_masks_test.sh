#!/usr/bin/env bash
# `stc score davis` on masks that cannot be scored: one line that names the file, exit code 3; with --keep-going the other
# sequences are scored.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

# mask FILE LABEL [SIZE [FORM]]: a box of LABEL on background; FORM is ffmpeg's name of a pixel format.
mask() {
  mkdir -p "$(dirname "$1")"
  ffmpeg -nostdin -v error -y -f lavfi -i "color=black:size=${3:-40x30},format=gray,geq=lum='$2*between(X,8,20)*between(Y,5,15)'" \
    -frames:v 1 -pix_fmt "${4:-gray}" "$1"
}
mask one.png 1
for folder in truth prediction; do
  for sequence in bad good; do
    mkdir -p "$folder/$sequence"
    for frame in 0 1 2 3 4; do cp one.png "$folder/$sequence/0000$frame.png"; done
  done
done
score() { "$stc" score davis --truth truth --prediction prediction "$@"; }
restore() {
  rm -rf truth/bad prediction/bad
  cp -r truth/good truth/bad
  cp -r prediction/good prediction/bad
}
# fails TEXT: the plain command stops, and writes nothing; with --keep-going the good sequence has its numbers.
fails() {
  expect 3 "$1" score --csv scores.csv
  [ "$(grep -c . output)" -eq 1 ] || die "more than one line for: $1"
  [ ! -e scores.csv ] || die 'numbers of a failed run were written'
  expect 3 "$1" score --csv scores.csv --keep-going
  grep -q '1 sequence(s) left out' output || die 'the count of bad sequences is not told'
  [ "$(tail -n +2 scores.csv)" = good,1,1,1,0,1,1,0 ] || die "the good sequence was not scored beside: $1"
  rm scores.csv
  restore
}

expect 0 'mean over objects +2 +100\.0' score
rm prediction/bad/00002.png
fails 'prediction/bad/00002\.png: no such prediction'
mask prediction/bad/00002.png 1 20x30
fails 'prediction/bad/00002\.png: is 30x20 \(height x width\); its truth is 30x40'
mask prediction/bad/00002.png 1 40x30 rgb24
fails 'prediction/bad/00002\.png: is an 8-bit RGB PNG; a mask has one 8-bit label per pixel'
mask prediction/bad/00002.png 1 40x30 gray16be
fails 'prediction/bad/00002\.png: is a 16-bit grey PNG'
mask truth/bad/00003.png 1 40x30 rgb24
fails 'truth/bad/00003\.png: is an 8-bit RGB PNG'
truncate -s 60 prediction/bad/00002.png
fails 'prediction/bad/00002\.png: damaged PNG'
mask prediction/bad/00002.png 7
expect 0 'mean over objects +2' score --drop-unknown
fails 'prediction/bad/00002\.png: holds label 7; the first frame of the truth has objects 1 to 1'
rm truth/bad/0000[234].png
fails "sequence 'bad' has 2 annotated frame\(s\).*at least 3"
rm truth/bad/0000[1234].png
fails "sequence 'bad' has 1 annotated frame"
printf 'good\nbad\n' > split.txt
rm truth/bad/*
expect 3 'truth/bad: holds no frame' score --split split.txt
expect 3 'truth/bad: holds no frame' score --split split.txt --keep-going
grep -Eq 'good +.*100\.0' output || die 'an empty sequence took the good one with it'
restore

# Nothing but bad sequences: no table, no file.
rm prediction/*/00002.png
expect 3 '2 sequence\(s\) left out' score --keep-going --csv scores.csv
[ ! -e scores.csv ] || die 'numbers of nothing were written'
expect 2 'drop-unknown belongs to --rule official' score --rule any-id --drop-unknown
