#!/usr/bin/env bash
# A rank that stops (SIGSTOP), rank 0 included: a line names it within dist.stall_seconds; after dist.timeout_seconds the
# launcher exits with 4 and leaves no process; after SIGCONT before the time-out the run continues.
#
#   tests/faults/stop_rank_test.sh STC [RANKS]      4 ranks by default
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
ranks=${2:-4}
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images > /dev/null
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=100000 --checkpoint.every_steps=1000
          --dist.stall_seconds=4)


wait_for() {
  local text=$1 file=$2 seconds=$3 i
  for ((i = 0; i < seconds * 10; i++)); do
    if grep -Eq "$text" "$file" 2> /dev/null; then return 0; fi
    sleep 0.1
  done
  cat "$file"
  die "no line like '$text' within $seconds s"
}

for victim in 0 $((ranks - 1)); do
  run=hang-$victim
  "$stc" launch --ranks "$ranks" -- "${pretrain[@]}" --run.dir="$run" --dist.timeout_seconds=15 > "$run.log" 2>&1 &
  launcher=$!
  wait_for '"step":3,' "$run/metrics.jsonl" 60
  pid=$(rank_pid "$run" "$victim")

  kill -STOP "$pid"
  wait_for "launch: .*is stalled in .*missing rank $victim \(node .*, pid $pid\): silent" "$run.log" 5
  kill -CONT "$pid"
  wait_for 'launch: collective [0-9]+ completed after' "$run.log" 5
  steps=$(wc -l < "$run/metrics.jsonl")

  wait_for "\"step\":$((steps + 2))," "$run/metrics.jsonl" 20
  kill -STOP "$pid"
  code=0
  wait "$launcher" || code=$?
  [ "$code" -eq 4 ] || { cat "$run.log"; die "the launcher ended with $code; expected 4"; }
  [ -z "$(pgrep -f -- "--run.dir=$run( |\$)")" ] || die 'processes are left'
  grep -q "rank $victim (node .*last seen in step" "$run.log" || { cat "$run.log"; die "rank $victim is not named as lost"; }
  echo "rank $victim of $ranks: named, continued, ended with 4 after the time-out"
done
