#!/usr/bin/env bash
# static_tls_test.sh STC LIBRARY: a run whose process holds 256 KiB of static thread-local storage more, as under CUDA, serves
# its metrics and is not harmed by requests for what it does not have.
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
export OMP_NUM_THREADS=1

make_frames frames 8
"$stc" pack images frames --out shards > pack.log
begin run env LD_PRELOAD="$2" "$stc" pretrain "${small_pretrain[@]}" --data.shards=shards --metrics.port=0 \
  --train.steps=1000000 --checkpoint.every_steps=1000000 --run.dir=run
grep -q "$(basename "$2")" "/proc/$started/maps" || die 'the library is not in the process'
! grep 'no metrics' run.log || die 'no metrics are served'
port=$(grep -oE '127.0.0.1:[0-9]+' run/file_sd.json | cut -d: -f2)

# answers METHOD PATH STATUS
answers() {
  exec {connection}<> "/dev/tcp/127.0.0.1/$port"
  printf '%s %s HTTP/1.1\r\nHost: rank\r\nConnection: close\r\n\r\n' "$1" "$2" >&"$connection"
  cat <&"$connection" > answer
  exec {connection}>&-
  grep -q "^HTTP/1.1 $3" answer || { cat answer; die "$1 $2: expected status $3"; }
}
for _ in 1 2 3; do
  answers GET /metrics 200
  grep -q '^stc_step{' answer || die 'no series of the step'
  answers GET /nope 404
  answers GET "/$(printf 'x%.0s' {1..3000})" 404
  answers POST /metrics 405
done
kill -USR1 "$started"
stopped run 138 USR1
