#!/usr/bin/env bash
# Kills at random moments, -9, a rank, the rank that writes a checkpoint while it writes, or mpirun itself, under
# `stc launch --max-restarts`. Each run must finish, byte-equal to the undisturbed one: weights, queue, momentum encoder,
# optimizer, and metrics.jsonl but for its time fields.
#
#   tests/faults/kill_ranks_test.sh STC [RUNS] [SEED]       20 runs by default
source "$(dirname "${BASH_SOURCE[0]}")/../integration/expect.sh"
runs=${2:-20}
RANDOM=${3:-$$}
echo "seed ${3:-$$}"
export OMP_NUM_THREADS=1

make_frames frames 12
"$stc" pack images frames --out images > /dev/null
pretrain=(pretrain "${small_pretrain[@]}" --data.shards=images --train.steps=30 --checkpoint.every_steps=3)
launch() { "$stc" launch --ranks 2 --max-restarts 5 -- "${pretrain[@]}" --run.dir="$1" > "$1.log" 2>&1; }

mpirun_of() { pgrep -f -- "^mpirun .*--run.dir=$1( |\$)"; }

begin=$(date +%s%N)
launch whole || { cat whole.log; die 'the undisturbed run failed'; }
milliseconds=$((($(date +%s%N) - begin) / 1000000))

disturb() {
  local run=$1 what=$2 victim='' i
  if [ "$what" = writer ]; then
    for ((i = 0; i < 3000; i++)); do
      if compgen -G "$run/checkpoints/.tmp-*" > /dev/null; then break; fi
      sleep 0.002
    done
    victim=$(rank_pid "$run" 0)
  else
    sleep "$(awk -v m="$milliseconds" -v r="$RANDOM" 'BEGIN { printf "%.3f", m * (0.15 + 0.8 * r / 32768) / 1000 }')"
    case $what in
      rank*) victim=$(rank_pid "$run" "${what#rank}") ;;
      mpirun) victim=$(mpirun_of "$run") ;;
    esac
  fi
  # shellcheck disable=SC2086
  [ -n "$victim" ] && kill -9 $victim 2> /dev/null
}

victims=(rank0 rank1 writer mpirun)
disturbed=0
for ((run = 1; run <= runs; run++)); do
  what=${victims[$(((run - 1) % 4))]}
  name=run-$run
  launch "$name" &
  launcher=$!
  disturb "$name" "$what" || true
  code=0
  wait "$launcher" || code=$?
  [ "$code" -eq 0 ] || { cat "$name.log"; die "$name ($what killed) ended with $code"; }
  equal_runs whole "$name" 30
  [ -z "$(rank_pid "$name" 0)$(rank_pid "$name" 1)" ] || die "$name left workers behind"
  restarts=$(grep -c 'starting again' "$name.log" || true)
  [ "$restarts" -eq 0 ] || disturbed=$((disturbed + 1))
  echo "run $run: $what killed, $restarts restart(s): equal"
  rm -rf "$name"
done
echo "$runs runs, $disturbed of them restarted, all equal to the undisturbed one"
[ "$disturbed" -gt 0 ] || die 'no run was disturbed: the test shows nothing'
