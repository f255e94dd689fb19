#!/usr/bin/env bash
# An evaluation over ranks: the same numbers on 1, 2 and 3 of them; killed, it goes on where it was; bad sequences are left
# out where asked; a folder of another evaluation is refused.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 16
"$stc" synthesize frames --out clips --clips 4 --frames 6 --height 96 --width 128
evaluate=(eval davis --data clips --weights random:5 --depth 18 --short-side 96)
tables=(results.csv per-frame.csv global_results.csv per-sequence_results.csv)
same_tables() {
  for table in "${tables[@]}"; do cmp "$1/$table" "$2/$table" || die "$table differs: $1, $2"; done
}

"$stc" "${evaluate[@]}" --threads 2 --half-window 3 --out one
for ranks in 2 3; do
  on_ranks "$ranks" "${evaluate[@]}" --threads 1 --half-window 3 --out "on-$ranks"
  same_tables one "on-$ranks"
  diff -r -x log -x '*.json' -x lock one "on-$ranks" || die "the masks of $ranks ranks differ"
done

# Killed as soon as one sequence is done.
on_ranks 2 "${evaluate[@]}" --threads 1 --half-window 3 --out killed > killed.log 2>&1 &
until ls killed/records/*.json > /dev/null 2>&1; do
  kill -0 $! 2> /dev/null || die "ended before it could be killed: $(cat killed.log)"
  sleep 0.02
done
pkill -9 -f -- "--out killed" || true
wait || true
done_before=$(ls killed/records | wc -l)
[ "$done_before" -lt 4 ] || echo 'all sequences were done before the kill; nothing is left to go on with' >&2
stamps=$(stat -c '%n %y' killed/records/*.json)
expect 0 "$done_before clips were evaluated by an earlier start" on_ranks 2 "${evaluate[@]}" --threads 1 --half-window 3 --out killed
same_tables one killed
while read -r name stamp; do
  [ "$(stat -c '%y' "$name")" = "$stamp" ] || die "$name was evaluated twice"
done <<< "$stamps"

expect 2 'one holds an evaluation with half_window 3, this one has 4' "$stc" "${evaluate[@]}" --half-window 4 --out one
expect 0 'mean over objects' "$stc" "${evaluate[@]}" --half-window 4 --out one --force
expect 2 'clips: is not empty, and holds no evaluation' "$stc" "${evaluate[@]}" --out clips

# A frame cut short: named, exit code 3; with --keep-going the others have their numbers.
frame=$(find clips/JPEGImages -path '*clip*' -name '*3.*' | sort | head -n 1)
truncate -s 100 "$frame"
expect 3 "$frame" "$stc" "${evaluate[@]}" --half-window 3 --out broken
expect 3 '1 of 4 clips were left out of the numbers' "$stc" "${evaluate[@]}" --half-window 3 --out broken --keep-going
grep -q "$frame" broken/results.json || die 'results.json does not name the bad frame'
expect 3 '1 of 4 clips were left out of the numbers' on_ranks 2 "${evaluate[@]}" --threads 1 --half-window 3 --out broken-2 --keep-going
same_tables broken broken-2
