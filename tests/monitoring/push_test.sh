#!/usr/bin/env bash
# An evaluation's result is left with a real Pushgateway; where none answers, the evaluation is no less finished.
source "$(dirname "${BASH_SOURCE[0]}")/prometheus.sh"
command -v prometheus-pushgateway > /dev/null || { echo 'skipped: no prometheus-pushgateway here'; exit 77; }

make_frames frames 4
"$stc" pack images frames --out shards > /dev/null
"$stc" synthesize frames --out clips --clips 1 --frames 3 --height 64 --width 96
"$stc" pretrain "${small_pretrain[@]}" --data.shards=shards --train.steps=1 --train.batch_size=4 --run.dir=run > run.log 2>&1
evaluate=("$stc" eval davis --data clips --weights run --short-side 64)

expect 2 "'gateway' is not the address of a Pushgateway; expected http://HOST:PORT" "${evaluate[@]}" --out refused --push gateway
expect 0 'the result was not pushed: nothing answers at http://127.0.0.1:9; it is in results.json' \
  "${evaluate[@]}" --out unheard --push http://127.0.0.1:9

port=9
until [ "$port" -gt 9 ] && ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port=$((20000 + RANDOM % 20000)); done
prometheus-pushgateway --web.listen-address="127.0.0.1:$port" > gateway.log 2>&1 &
gateway=$!
until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
  kill -0 "$gateway" || { cat gateway.log; die 'the Pushgateway did not start'; }
  sleep 0.05
done
expect 0 'J&F' "${evaluate[@]}" --out heard --label 'runs/first, step 1' --push "http://127.0.0.1:$port"
if grep -q 'not pushed' output; then die "$(cat output)"; fi
scrape "$port" > scraped
pushed=$(sed -nE 's/^stc_evaluation_result\{benchmark="davis",instance="",job="stc_eval",measure="jf_mean",weights="runs_first__step_1"\} //p' scraped)
found=$(sed -nE 's/^ *"jf_mean": ([0-9.e-]+),?$/\1/p' heard/results.json | head -n 1)
awk -v a="$pushed" -v b="$found" 'BEGIN { exit !(a != "" && b != "" && a - b < 1e-9 && b - a < 1e-9) }' ||
  die "results.json says $found, the Pushgateway $pushed: $(grep stc_ scraped)"
grep -Eq '^stc_evaluation_timestamp_seconds\{.*\} 1\.[0-9]+e\+09$' scraped || die "no time: $(grep stc_ scraped)"
