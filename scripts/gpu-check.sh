#!/usr/bin/env bash
# Checks a build of stc on a machine with a GPU: tests, golden cases, short trainings, kill -9 and resume, benches. Takes less than
# four minutes, changes no setting of the GPU, and prints one table at the end.
#
#   scripts/gpu-check.sh [BIN_DIR] [OPTION...]     BIN_DIR: build/cuda/bin, or bin/ of a bundle (scripts/gpu-bundle.sh)
#     --golden FOLDER   cases for `stc parity` (default: STC_GOLDEN_FOLDER, else golden/ of the bundle, else tests/golden)
#     --work FOLDER     keeps data, runs and logs there (default: a temporary folder; kept if an item fails)
#     --seconds N       time for all items together; what does not fit is skipped (default: 230)
#     --device cpu      the same items on the CPU with small sizes: checks the script itself
#
# Exit code: 0 no item failed, 1 an item failed, 2 wrong usage, or no GPU.
set -uo pipefail

usage() { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }
say() { printf 'gpu-check: %s\n' "$*"; }
wrong() { say "$*" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin='' golden=${STC_GOLDEN_FOLDER:-} work='' seconds=230 device=cuda
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --golden | --work | --seconds | --device)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      declare "${1#--}=$2"
      shift
      ;;
    -*) wrong "unknown option '$1'; expected --golden, --work, --seconds or --device" ;;
    *) [ -z "$bin" ] || wrong "a second folder '$1'; expected one, with stc and its tests"; bin=$1 ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || wrong "--seconds is '$seconds'; expected a whole number, 1 or larger"
[[ $device =~ ^(cuda|cpu)$ ]] || wrong "--device is '$device'; expected cuda or cpu"
[ -n "$bin" ] || { [ -x "$here/bin/stc" ] && bin=$here/bin; } || bin=$here/../build/cuda/bin
[ -x "$bin/stc" ] || wrong "$bin/stc is missing; build the preset 'cuda', or give the folder that holds it"
bin=$(cd "$bin" && pwd) stc=$bin/stc
# shellcheck source=/dev/null
if [ -e "$bin/../env.sh" ]; then source "$bin/../env.sh"; fi
for folder in "$bin/../golden" "$here/../tests/golden"; do
  if [ -z "$golden" ] && [ -d "$folder" ]; then golden=$(cd "$folder" && pwd); fi
done
export STC_GOLDEN_FOLDER=$golden
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

"$stc" --version > /dev/null || wrong "$stc does not run (see its message above); in a bundle, source env.sh first"
gpus=$("$stc" doctor 2> /dev/null | sed -nE 's/^[a-z]+ +GPUs +([0-9]+).*/\1/p')
if [ "$device" = cuda ] && [ "${gpus:-0}" -eq 0 ]; then
  "$stc" doctor 2> /dev/null | grep -E ' (CUDA|GPUs) ' >&2
  wrong "$stc finds no GPU on this machine; --device cpu checks the script itself"
fi

if [ -n "$golden" ]; then golden=$(cd "$golden" && pwd) || wrong "--golden $golden is not a folder"; fi
keep=${work:+yes}
work=${work:-$(mktemp -d --suffix=.gpu-check)}
mkdir -p "$work" && cd "$work" || exit 2
work=$PWD
[ -z "$(ls)" ] || wrong "$work is not empty; give --work a new folder"
mkdir rows logs
trap 'kill $(jobs -p) 2> /dev/null' EXIT

# ---- items: each writes one row of the table -----------------------------------------------------------------------------------

# item NAME SECONDS FUNCTION ARGUMENT...: 0 passes, 77 is a skip; `note` is the last column.
count=0
item() {
  local name=$1 budget=$2 row begin=$SECONDS code=0 verdict note='' log
  shift 2
  row=rows/$(printf '%03d' "$count")
  log=logs/${name//[^A-Za-z0-9._-]/-}.log
  if [ "$device" = cpu ]; then budget=$((4 * budget)); fi  # two busy cores, maybe with a sanitizer
  [ $((seconds - begin)) -ge "$budget" ] || budget=$((seconds - begin))
  deadline=$((begin + budget))
  if [ "$budget" -le 2 ]; then
    code=77 note="no time left of $seconds s"
  else
    "$@" > "$log" 2>&1 || code=$?
  fi
  case $code in
    0) verdict=pass ;;
    77) verdict=skip ;;
    124 | 137) verdict=FAIL note="not done after $((SECONDS - begin)) s" ;;
    *) verdict=FAIL note=${note:-$(grep -v '^ *$' "$log" | tail -n 1)} ;;
  esac
  printf '%s\t%s\t%s\t%s\n' "$name" "$verdict" "$((SECONDS - begin))" "$note" > "$row"
  printf '%-5s %s (%s s)\n' "$verdict" "$name" "$((SECONDS - begin))"
}
start() { count=$((count + 1)); item "$@" & }         # beside the others, until the next `wait`
alone() { wait; count=$((count + 1)); item "$@"; }    # with the machine to itself

limited() { timeout --kill-after=5 "$((deadline > SECONDS ? deadline - SECONDS : 1))" "$@"; }
skip() { note=$*; return 77; }
fail() { note=$*; return 1; }
field() { sed -nE "s/.*\"$1\": *([-+0-9.eE]+).*/\1/p" "$2" | head -n 1; }   # field KEY FILE: the first number under KEY

google_tests() { # PROGRAM FILTER COMMAND-IN-FRONT...
  local program=$bin/$1 filter=$2 out code=0 passed skipped
  shift 2
  [ -x "$program" ] || { skip "no ${program##*/} here"; return; }
  out=$(mktemp -p "$work/logs")
  limited "$@" "$program" --gtest_filter="$filter" --gtest_color=no > "$out" 2>&1 || code=$?
  cat "$out"
  [ "$code" -eq 0 ] || { note=$(sed -nE 's/^\[  FAILED  \] (.*[0-9]+ ms\))/\1/p' "$out" | head -n 1); return "$code"; }
  passed=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) .*/\1/p' "$out" | head -n 1)
  skipped=$(sed -nE 's/^\[  SKIPPED \] ([0-9]+) .*/\1/p' "$out" | head -n 1)
  if [ "${passed:-0}" -eq 0 ] && [ "${skipped:-0}" -eq 0 ]; then fail "no test matches $filter"; return; fi
  if [ "${passed:-0}" -eq 0 ]; then skip "$(grep -m 1 -A 1 ': Skipped' "$out" | tail -n 1)"; return; fi
  note="$passed passed${skipped:+, $skipped skipped}"
}

doctor() { # the card, its driver and its peers: what all other rows are measured on
  limited "$stc" doctor || return
  note=$(grep -E '^[a-z]+ +GPUs ' "$work"/logs/doctor.log | sed -E 's/^[a-z]+ +GPUs +//')
}

parity() { # OPTION...
  local cases
  shopt -s nullglob
  cases=("$golden"/{moco,step2,prop}*.safetensors)
  [ -n "$golden" ] && [ "${#cases[@]}" -gt 0 ] || { skip 'no golden cases; give --golden FOLDER'; return; }
  limited "$stc" parity "${cases[@]}" --device "$device" "$@" > "parity$*.txt" 2>&1
  local code=$?
  cat "parity$*.txt"
  note=$(grep -E '^parity: ' "parity$*.txt" || tail -n 1 "parity$*.txt")
  return $code
}

# Eight pictures of noise and waves, as PNG: needs no library.
draw_photos() {
  command -v python3 > /dev/null || { skip 'no python3 to draw pictures with'; return; }
  python3 - photos <<'PYTHON' || return
import math, os, random, struct, sys, zlib
os.makedirs(sys.argv[1], exist_ok=True)
def chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
for n in range(8):
    draw = random.Random(n)
    width, height, across, down = 240, 180, draw.uniform(0.02, 0.2), draw.uniform(0.02, 0.2)
    rows = b''.join(b'\0' + bytes(min(255, max(0, int(128 + 90 * math.sin(across * x + down * y + c) + draw.uniform(-30, 30))))
                                  for x in range(width) for c in range(3)) for y in range(height))
    with open(f'{sys.argv[1]}/{n:02d}.png', 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
                   chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
PYTHON
}

make_data() {
  draw_photos || return
  limited "$stc" synthesize photos --out clips --clips 3 --frames 4 --height 180 --width 240 || return
  limited "$stc" pack images photos --out images || return
  limited "$stc" pack videos clips/JPEGImages/480p --out videos || return
  note='8 pictures, 3 clips of 4 frames'
}

# ---- trainings -----------------------------------------------------------------------------------------------------------------

common=(--run.device="$device" --metrics.port=off --train.log_every=1 --checkpoint.every_steps=4 --checkpoint.keep=100)
if [ "$device" = cuda ]; then
  steps=40
  pretrain=(pretrain --data.shards=images --images.size=128 --train.batch_size=64 --contrastive.queue_size=1024 --loader.workers=4)
  train=(train --data.shards=videos --clips.size=128 --train.batch_size=8 --loader.workers=4)
else
  steps=8 common+=(--run.threads=1)
  pretrain=(pretrain --data.shards=images --images.size=32 --train.batch_size=8 --contrastive.queue_size=64)
  train=(train --data.shards=videos --clips.size=64 --train.batch_size=2)
fi
# Runs that are compared ask for the same bits again, where this stc can do that on a GPU.
exact=yes
if "$stc" train --keys | grep -q -- '--run.deterministic='; then
  same_bits=(--run.deterministic=true)
else
  same_bits=()
  if [ "$device" = cuda ]; then exact=no; fi
fi
pretrain+=(--train.steps="$steps" "${common[@]}" "${same_bits[@]}")
train+=(--train.steps="$steps" --losses.global_weight=0 --clips.frame_gap=2 "${common[@]}")
distil=("${train[@]}" --losses.global_weight=50 --model.teacher=pretrain/weights.safetensors
        --model.init=pretrain/weights.safetensors "${same_bits[@]}")

losses_of() { sed -nE 's/.*"total":([-+0-9.eE]+).*/\1/p' "$1/metrics.jsonl"; }

training() { # RUN ARGUMENT...
  local run=$1
  shift
  [ -e images/manifest.json ] && [ -e videos/manifest.json ] || { skip 'no data'; return; }
  limited "$stc" "$@" --run.dir="$run" || return
  [ "$(losses_of "$run" | wc -l)" -eq "$steps" ] || { fail "metrics.jsonl has no line for each of $steps steps"; return; }
  losses_of "$run" | grep -qiE 'nan|inf' && { fail 'a loss is not finite'; return; }
  note="loss $(losses_of "$run" | awk -v n="$steps" 'NR == 1 { printf "%.3f", $1 } NR == n { printf " -> %.3f", $1 }') in $steps steps"
}

# The run RUN once more, killed after its first checkpoint and resumed.
resume() { # RUN ARGUMENT...
  local run=$1 killed=$1-killed victim
  shift
  [ -e "$run/weights.safetensors" ] || { skip "no finished run $run to compare with"; return; }
  "$stc" "$@" --run.dir="$killed" & victim=$!
  until [ -e "$killed/checkpoints/step-00000004/MANIFEST" ]; do
    kill -0 "$victim" 2> /dev/null || { fail 'the run ended before its first checkpoint'; return; }
    [ "$SECONDS" -lt "$deadline" ] || { kill -9 "$victim"; return 124; }
    sleep 0.02
  done
  kill -9 "$victim"
  wait "$victim" 2> /dev/null
  [ ! -e "$killed/weights.safetensors" ] || { fail 'the run was over before it was killed'; return; }
  limited "$stc" "$@" --run.dir="$killed" || return
  same_run "$run" "$killed"
}

# A run over several ranks, and again from its last checkpoint but one.
resume_ranks() { # RANKS ARGUMENT...
  local ranks=$1 run=ranks-$1 front
  shift
  [ -e images/manifest.json ] || { skip 'no data'; return; }
  command -v mpirun > /dev/null || { skip 'no mpirun here'; return; }
  front=(mpirun -np "$ranks" --bind-to none --oversubscribe)
  limited "${front[@]}" "$stc" "$@" --run.dir="$run" || return
  cp -r "$run" "$run-resumed"
  (cd "$run-resumed" && rm -r "checkpoints/$(printf 'step-%08d' "$steps")" weights.safetensors summary.json) || return
  limited "${front[@]}" "$stc" "$@" --run.dir="$run-resumed" || return
  same_run "$run" "$run-resumed"
}

# Bit for bit; without a deterministic mode on the GPU the losses may drift apart by 5 %.
same_run() {
  if cmp "$1/weights.safetensors" "$2/weights.safetensors"; then note='weights equal bit for bit'; return; fi
  [ "$exact" = no ] || { fail 'the resumed weights differ from the uninterrupted run'; return; }
  paste <(losses_of "$1") <(losses_of "$2") | awk -v steps="$steps" '
    { d = ($1 - $2) / $1; if (d < 0) d = -d; if (d > worst) worst = d }
    END { print worst; exit !(NR == steps && worst <= 0.05) }' > "$2.worst" ||
    { fail "losses differ by up to $(cat "$2.worst") of their size"; return; }
  note="losses within $(cat "$2.worst") (no deterministic mode in this build)"
}

evaluation() {
  [ -e train/weights.safetensors ] || { skip 'no weights'; return; }
  limited "$stc" eval davis --data clips --weights train/weights.safetensors --out eval --device "$device" --short-side 180 || return
  note="J&F $(field jf_mean eval/results.json | cut -c1-6) on synthetic clips"
}

# ---- benches -------------------------------------------------------------------------------------------------------------------

# bench KEY UNIT NAME ARGUMENT...: KEY of its JSON line is the row's number. An option that this stc does not have is a skip.
bench() {
  local key=$1 unit=$2 name=$3 help value arguments=()
  shift 3
  help=$("$stc" bench "$name" --help 2> /dev/null)
  grep -q "^Usage: stc bench $name " <<< "$help" || { skip "this stc has no bench $name"; return; }
  while [ $# -gt 0 ]; do
    if [ "$1 ${2:-}" = '--device cpu' ]; then shift 2; continue; fi  # the default, also of a bench without this option
    if [[ $1 == --* ]] && ! grep -q -- "^  $1 " <<< "$help"; then skip "stc bench $name has no $1"; return; fi
    arguments+=("$1")
    shift
  done
  limited "${front[@]}" "$stc" bench "$name" "${arguments[@]}" --json > "$name.json" || return
  cat "$name.json"
  value=$(field "$key" "$name.json")
  [ -n "$value" ] || { fail "no $key in its JSON line"; return; }
  note="$(awk -v v="$value" -v u="$unit" 'BEGIN { printf u == "ms" ? "%.2f ms" : "%.0f " u, u == "ms" ? 1000 * v : v }')"
  value=$(field images_per_second "$name.json")
  note+=${value:+, $(printf '%.0f' "$value") images/s}
  value=$(field mfu "$name.json")
  note+=${value:+, MFU $(printf '%.2f' "$value")}
}

allreduce() { # RANKS
  local ranks=$1 front
  [ "$ranks" -gt 1 ] || { skip 'one GPU sends nothing'; return; }
  command -v mpirun > /dev/null || { skip 'no mpirun here'; return; }
  front=(mpirun -np "$ranks" --bind-to none --oversubscribe)
  bench megabytes_per_second MB/s allreduce --megabytes 100 --device "$device" || return
  note+=", $ranks ranks"
}

# ---- what is run ---------------------------------------------------------------------------------------------------------------

front=()
tests='*/cuda*:*OnAGpu*'
if [ "$device" = cpu ]; then tests='KeyQueue*/cpu:*StripSearch*/cpu*:Optimizer*/cpu:*Crc32c*'; fi  # some of each program
start doctor 20 doctor
for folder in models eval launcher data; do start "tests of $folder" 90 google_tests "stc_${folder}_tests" "$tests"; done
if ! command -v mpirun > /dev/null; then
  start 'NCCL, one rank' 5 skip 'no mpirun here'
elif [ "$device" = cuda ]; then
  start 'NCCL, one rank' 60 google_tests stc_dist_mpi_tests '*WorldOfGpus*' mpirun -np 1 --bind-to none
else
  start 'MPI, two ranks' 60 google_tests stc_dist_mpi_tests '*WorldOfProcesses*' mpirun -np 2 --bind-to none --oversubscribe
fi
start 'parity float32' 60 parity
start 'parity double' 60 parity --double
start data 30 make_data
if [ "$device" = cuda ] && [ "$gpus" -gt 1 ] && command -v mpirun > /dev/null; then
  alone "NCCL, $gpus ranks" 60 google_tests stc_dist_mpi_tests '*WorldOfGpus*' mpirun -np "$gpus" --bind-to none
fi

alone 'step 1' 40 training pretrain "${pretrain[@]}"
start 'step 2, reconstruction' 40 training train "${train[@]}"
alone 'step 2, distillation' 40 training distil "${distil[@]}"
start 'step 1 killed and resumed' 50 resume pretrain "${pretrain[@]}"
start 'step 2 killed and resumed' 50 resume distil "${distil[@]}"
start 'eval davis' 40 evaluation
ranks=2
if [ "$device" = cuda ]; then ranks=$gpus; fi
if [ "$ranks" -gt 1 ]; then alone "step 1 resumed, $ranks ranks" 50 resume_ranks "$ranks" "${pretrain[@]}"; fi

if [ "$device" = cuda ]; then
  fast=(--precision bf16 --memory-format channels_last)
  clips=(--size 256 --batch 16 --steps 8 --device cuda)
  alone 'bench step1 r50' 30 bench seconds_per_step ms step1 --depth 50 --size 224 --batch 256 --steps 6 --device cuda
  alone 'bench step1 r50 bf16' 30 bench seconds_per_step ms step1 --depth 50 --size 224 --batch 256 --steps 6 --device cuda "${fast[@]}"
  for depth in 18 50; do
    alone "bench step2 r$depth" 30 bench seconds_per_step ms step2 --depth $depth "${clips[@]}"
    alone "bench step2 r$depth bf16" 30 bench seconds_per_step ms step2 --depth $depth "${clips[@]}" "${fast[@]}"
  done
  alone 'bench step2 deterministic' 30 bench seconds_per_step ms step2 --depth 18 "${clips[@]}" "${fast[@]}" --deterministic
  alone 'bench propagation' 30 bench seconds_per_frame ms propagation --device cuda
  alone 'bench loader' 30 bench samples_per_second samples/s loader --size 224 --batch 256 --steps 8 --workers "$(($(nproc) > 1 ? $(nproc) - 1 : 1))"
else
  alone 'bench step1' 20 bench seconds_per_step ms step1 --size 64 --batch 8 --steps 1 --device cpu
  alone 'bench step2' 20 bench seconds_per_step ms step2 --size 64 --batch 1 --steps 1 --device cpu
  alone 'bench propagation' 20 bench seconds_per_frame ms propagation --width 160 --frames 1 --device cpu
  alone 'bench loader' 20 bench samples_per_second samples/s loader --size 32 --batch 4 --steps 2 --workers 1
fi
alone 'bench allreduce' 20 allreduce "$ranks"
wait

# ---- the table -----------------------------------------------------------------------------------------------------------------

printf '\n%s, %s\n\n' "$("$stc" --version | head -n 1)" "$device"
printf 'item\tresult\tseconds\tnumber or reason\n' | cat - rows/* | cut -c1-160 |
  awk -F '\t' '{ printf "%-28s%-8s%8s  %s\n", $1, $2, $3, $4 }'
failed=$(cat rows/* | cut -f2 | grep -c FAIL)
printf '\n'
say "$(cat rows/* | cut -f2 | grep -c pass) passed, $(cat rows/* | cut -f2 | grep -c skip) skipped, $failed failed in $SECONDS s"
if [ -n "$keep" ] || [ "$failed" -gt 0 ]; then say "logs are in $work/logs"; else rm -rf "$work"; fi
[ "$failed" -eq 0 ]
