#!/usr/bin/env bash
# storm_test.sh STC STORM [SCRAPES SECONDS]: a rank in training whose metrics are asked for all the time, by requests that are
# too long, and by connections that say nothing. It must go on training, answer again, and have grown by nothing. Says what a
# scrape costs and how much longer steps take. CI asks 600 times in 6 s; docs/results.md has 10,000 times in 60 s.
storm=$(realpath "$2")
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
scrapes=${3:-600} seconds=${4:-6}
export OMP_NUM_THREADS=1

make_frames frames 16
"$stc" pack images frames --out shards > pack.log
begin run "$stc" pretrain "${small_pretrain[@]}" --data.shards=shards --metrics.port=0 --train.steps=1000000 \
  --checkpoint.every_steps=1000000 --run.dir=run
port=$(grep -oE '127.0.0.1:[0-9]+' run/file_sd.json | cut -d: -f2)

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$started/status"; }        # kB
descriptors() { find "/proc/$started/fd" -mindepth 1 | wc -l; }
# CPU time of the threads that serve scrapers, in ms.
serving() { cat $(grep -l '^MHD' "/proc/$started"/task/*/comm | sed 's/comm$/schedstat/') | awk '{ ns += $1 } END { print ns / 1e6 }'; }
steps() { wc -l < run/metrics.jsonl; }
# ms_a_step COMMAND...: while it runs.
ms_a_step() {
  local first begun
  first=$(steps) begun=$EPOCHREALTIME
  "$@" > said || { cat said; die "$*"; }
  awk -v begun="$begun" -v now="$EPOCHREALTIME" -v steps="$(($(steps) - first))" \
    'BEGIN { printf "%.1f", 1000 * (now - begun) / steps }'
}

sleep 3  # caches and buffers have their size
calm=$(ms_a_step sleep "$seconds")
"$storm" "$port" scrapes 20 0.5 > /dev/null
memory=$(resident) files=$(descriptors) cpu=$(serving)
stormy=$(ms_a_step "$storm" "$port" scrapes "$scrapes" "$seconds")
cpu=$(awk -v from="$cpu" -v to="$(serving)" -v scrapes="$scrapes" 'BEGIN { printf "%.3f", (to - from) / scrapes }')
cat said
"$storm" "$port" headers $((scrapes / 20)) 1048576
mute=$(ms_a_step "$storm" "$port" silent 300 "$seconds" &
  for _ in 1 2 3 4 5 6; do sleep 0.5; descriptors; done > open-files
  wait "$!")
most=$(sort -n open-files | tail -n 1)
"$storm" "$port" scrapes 20 0.5 > /dev/null || die 'no answer after the silent connections'
grown=$(($(resident) - memory))

echo "CPU time a scrape: $cpu ms"
echo "ms a step: $calm in peace, $stormy under scrapes, $mute under silent connections"
echo "memory grew by $grown kB; descriptors: $files before, at most $most, $(descriptors) after"
kill -0 "$started" || die 'the run did not survive'
[ "$grown" -lt 20000 ] || die 'memory grew'
[ "$most" -lt $((files + 60)) ] || die 'descriptors are not bounded'
[ "$(descriptors)" -le $((files + 2)) ] || die 'descriptors are left'
awk -v cpu="$cpu" 'BEGIN { exit !(cpu > 0 && cpu < 2) }' || die "a scrape costs $cpu ms of CPU time"
kill -USR1 "$started"
wait "$started" || true
grep -q 'stopped by signal 10' run.log || die 'the run did not end in order'
