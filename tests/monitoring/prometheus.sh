# Sourced by the tests beside it: a real Prometheus over a run, and what it answers. Skipped (77) where none is installed.
# shellcheck shell=bash
for program in prometheus promtool; do
  command -v "$program" > /dev/null || { echo "skipped: no $program here (Debian: prometheus; scripts/setup.sh --checks)"; exit 77; }
done
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
export OMP_NUM_THREADS=1
# Nothing that a test has started outlives it.
trap 'kill $(jobs -p) 2> /dev/null || true; wait || true; rm -rf "$work"' EXIT

# endless_pretrain RUN [KEY...]: starts step 1 of two ranks as $started; it serves metrics, saves often, does not
# end, and is started again once.
endless_pretrain() {
  local run=$1
  shift
  make_frames frames 16
  "$stc" pack images frames --out shards > pack.log
  begin "$run" "$stc" launch --ranks 2 --max-restarts 1 -- pretrain "${small_pretrain[@]}" --data.shards=shards \
    --metrics.port=0 --train.steps=1000000 --checkpoint.every_steps=20 --run.dir="$run" "$@"
}

# ports RUN: of its ranks, in their order.
ports() { grep -oE '"[^"]+:[0-9]+"' "$1/file_sd.json" | grep -oE '[0-9]+"$' | tr -d '"'; }

# scrape PORT: what a rank serves, without HTTP's headers.
scrape() {
  local connection
  exec {connection}<> "/dev/tcp/127.0.0.1/$1"
  printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&"$connection"
  sed '1,/^\r*$/d' <&"$connection"
  exec {connection}>&-
}

# start_monitor RUN: `stc monitor` as $monitor, and its Prometheus's address as $prometheus.
start_monitor() {
  : > monitor.log
  "$stc" monitor "$1" > monitor.log 2>&1 &
  monitor=$!
  until prometheus=$(grep -oE 'http://127.0.0.1:[0-9]+' monitor.log); do
    kill -0 "$monitor" 2> /dev/null || { cat monitor.log; die 'stc monitor ended before its Prometheus was ready'; }
    sleep 0.1
  done
}

query() { promtool query instant "$prometheus" "$1"; }

# answers SECONDS COUNT QUERY: within that time it gives so many series; they are in $work/answer.
answers() {
  local i
  for ((i = 0; i < 4 * $1; ++i)); do
    query "$3" > "$work/answer" && [ "$(grep -c . "$work/answer")" -eq "$2" ] && return
    sleep 0.25
  done
  cat "$work/answer"
  return 1
}
