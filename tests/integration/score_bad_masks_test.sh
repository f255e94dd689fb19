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
  [ "$(grep -vc '^no list of sequences' output)" -eq 1 ] || die "more than one line for: $1"
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
# soft FILE: a box of 255 whose edges are blurred.
soft() {
  ffmpeg -nostdin -v error -y -f lavfi -i "color=black:size=40x30,format=gray,geq=lum='255*between(X,8,20)*between(Y,5,20)',boxblur=1" \
    -frames:v 1 -pix_fmt gray "$1"
}
soft prediction/bad/00002.png
fails 'prediction/bad/00002\.png: has soft edges.*without anti-aliasing'
soft truth/bad/00002.png
fails 'truth/bad/00002\.png: has soft edges'
# indexed FILE BACKGROUND COLORS: a box of the other index on BACKGROUND (0 or 1), and the palette in hexadecimal.
indexed() {
  python3 - "$@" << 'PY'
import struct, sys, zlib
path, background, colors = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
inside = lambda x, y: 8 <= x <= 20 and 5 <= y <= 15
rows = b"".join(b"\0" + bytes(1 - background if inside(x, y) else background for x in range(40)) for y in range(30))
chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 40, 30, 8, 3, 0, 0, 0)) +
    chunk(b"PLTE", colors) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PY
}
indexed prediction/bad/00002.png 0 000000ff0000
expect 0 'mean over objects +2 +100\.0' score
indexed prediction/bad/00002.png 0 ffffff000000
expect 0 'mean over objects +2 +100\.0' score
indexed prediction/bad/00002.png 1 ff0000000000
fails 'prediction/bad/00002\.png: the background is index 1 of its palette \(black\)'
touch truth/bad/._00001.png truth/bad/.DS_Store prediction/bad/._00001.png truth/bad/Thumbs.db
expect 0 'no list of sequences.*all 2 with masks in truth are taken' score
restore
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

# Labels with gaps keep the official number, and a line says what it is made of.
rm -r truth prediction
for frame in 0 1 2 3; do
  mask "truth/gaps/0000$frame.png" 210
  mask "prediction/gaps/0000$frame.png" 0
done
expect 0 '1 to 209 are never true.*209 of 210 objects count as found' score
grep -Eq 'gaps +210 +99\.5' output || die 'the number of the official rule has changed'
mask truth/gaps/00000.png 0
expect 3 'any-id' score
expect 0 'gaps +1 +0\.0' score --rule any-id
