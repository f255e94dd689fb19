#!/usr/bin/env bash
# A sweep: the same table on one rank, on two, and from two parts that run beside each other; each combination as `stc eval`
# gives it alone; what is done is not done again.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

make_frames frames 16
"$stc" synthesize frames --out clips --clips 2 --frames 4 --height 96 --width 128
plan() { # OUT
  cat << TOML
out = "$1"
depth = 18
sort = "score"
weights = ["random:1", "random:2"]
[[benchmark]]
name = "davis"
data = "clips"
[propagation]
short_side = 96
half_window = 3
top_k = [1, 5]
temperature = [0.07, 0.2]
TOML
}
for name in one two parts; do plan $name > $name.toml; done

"$stc" sweep one.toml > one.txt
[ "$(wc -l < one/sweep.csv)" -eq 9 ] || die 'the table has not one line a combination'
awk -F, 'NR == 1 { for (i = 1; i <= NF; ++i) column[$i] = i; next }
         { score = $column["score"]; if (NR > 2 && score > last) exit 1; last = score }' one/sweep.csv ||
  die 'the table is not sorted by score'
"$stc" eval davis --data clips --weights random:2 --depth 18 --short-side 96 --half-window 3 --top-k 5 --temperature 0.2 \
  --out alone > alone.txt
cmp alone/results.csv one/random:2/0-davis/temperature0.2-top_k5/results.csv || die 'a combination alone gives other numbers'

on_ranks 2 sweep two.toml --threads 1 > two.txt
cmp one/sweep.csv two/sweep.csv || die 'two ranks give another table'

"$stc" sweep parts.toml --part 0/2 > part0.txt 2>&1 &
"$stc" sweep parts.toml --part 1/2 > part1.txt 2>&1
wait $! || die "part 0 failed: $(cat part0.txt)"
[ "$(cat part0.txt part1.txt | grep -c ' frames, ')" -eq 4 ] || die "the parts did not share the clips: $(cat part0.txt part1.txt)"
cmp one/sweep.csv parts/sweep.csv || die 'two parts give another table'
expect 0 '4 clips were evaluated by an earlier start' "$stc" sweep parts.toml
grep -q '<table' one/sweep.html || die 'no page'
"$stc" report one --out report.html

sed 's/top_k = .*/preset = ["stt", "crw"]/; s/temperature = .*/temperature = 0.2/; s/out = .*/out = "presets"/' one.toml > presets.toml
"$stc" sweep presets.toml > presets.txt
"$stc" eval davis --data clips --weights random:2 --depth 18 --short-side 96 --half-window 3 --preset crw --temperature 0.2 \
  --out crw > crw.txt
cmp crw/results.csv presets/random:2/0-davis/presetcrw/results.csv || die 'a preset swept gives other numbers than alone'

sed -i 's/top_k = .*/top_k = [1, 0]/' one.toml
expect 2 'propagation.top_k' "$stc" sweep one.toml
sed -i 's/top_k = .*/top_kk = [1, 2]/' one.toml
expect 2 'propagation.top_k' "$stc" sweep one.toml
sed -i '/top_kk/d; s/^sort.*/sort = "sharpness"/' one.toml
expect 2 'the table has no such column; it has weights, benchmark' "$stc" sweep one.toml
sed -i 's/^sort.*/sorted = "score"/' one.toml
expect 2 'one.toml:3: unknown key sorted; did you mean sort' "$stc" sweep one.toml
expect 2 'expected I/N with 0 <= I < N' "$stc" sweep two.toml --part 2/2
expect 2 'missing.toml: no such file' "$stc" sweep missing.toml
