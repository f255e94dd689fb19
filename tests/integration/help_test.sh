#!/usr/bin/env bash
# The help of stc and of each of its commands has examples, and each example names commands, options and keys that exist.
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

"$stc" pretrain --keys | sed -nE 's/^ *(--[a-z0-9_.]+)=.*/\1/p' > keys.pretrain
"$stc" train --keys | sed -nE 's/^ *(--[a-z0-9_.]+)=.*/\1/p' > keys.train
cat keys.pretrain keys.train > keys.any
[ "$(wc -l < keys.any)" -ge 100 ] || die "--keys lists $(wc -l < keys.any) keys"

mkdir help
# Asked for once: every example needs it.
help_of() {
  local file="help/stc $*"
  [ -e "$file" ] || "$stc" "$@" --help > "$file"
  cat "$file"
}
subcommands_of() { help_of "$@" | sed -n '/^Subcommands:/,/^$/s/^  \([a-z0-9-]*\) .*/\1/p'; }
options_of() { help_of "$@" | grep -Eo -- '(^ *|,)--?[a-z][a-z-]*' | tr -d ' ,'; }
examples_of() { help_of "$@" | sed -n '/^Examples:/,$s/^  //p'; }

# key_exists METHOD --SECTION.KEY: METHOD is pretrain, train or any.
key_exists() { grep -qxF -- "$2" "keys.$1"; }

# parses WORD...: what follows `stc` in an example.
parses() {
  local command=() method=any word
  while [ $# -gt 0 ] && [[ $1 != -* ]] && subcommands_of "${command[@]}" | grep -qxF -- "$1"; do
    command+=("$1")
    shift
  done
  [ ${#command[@]} -gt 0 ] || { [[ ${1:-} == -* ]] || return 1; }
  [ -z "$(subcommands_of "${command[@]}")" ] || [[ ${1:-} == -* ]] || return 1
  options_of "${command[@]}" > options
  for word in "${command[@]}" "$@"; do
    case $word in pretrain | train) method=$word ;; esac
  done
  while [ $# -gt 0 ]; do
    word=${1%%=*}
    shift
    case $word in
      --)
        parses "$@"
        return
        ;;
      --*.*) key_exists "$method" "$word" || { echo "no key $word" >&2; return 1; } ;;
      -[!0-9]*) grep -qxF -- "$word" options || { echo "stc ${command[*]} has no option $word" >&2; return 1; } ;;
    esac
  done
}

# check COMMAND...: its help, and that of its own commands.
checked=0
check() {
  local example words lines sub
  mapfile -t lines < <(examples_of "$@")
  [ ${#lines[@]} -gt 0 ] || { failures+=("stc $*: its help has no examples"); }
  for example in "${lines[@]}"; do
    # What starts the ranks stands before `stc`, a comment behind.
    read -ra words <<< "${example%%  #*}"
    while [ ${#words[@]} -gt 0 ] && [ "${words[0]}" != stc ]; do words=("${words[@]:1}"); done
    if [ ${#words[@]} -eq 0 ]; then
      failures+=("stc $*: its example does not call stc: $example")
    elif [[ "${words[*]:1} " != "${*:+$* }"* ]]; then
      failures+=("stc $*: its example is of another command: $example")
    elif ! parses "${words[@]:1}"; then
      failures+=("stc $*: its example does not parse: $example")
    fi
    checked=$((checked + 1))
  done
  for sub in $(subcommands_of "$@"); do check "$@" "$sub"; done
}

# The check itself notices what is wrong.
parses bench step2 --size 64 || die 'a right example is refused'
parses train --config x.toml --train.steps=2 || die 'a right key is refused'
parses launch --ranks 2 -- train --train.steps=2 || die 'a right command behind -- is refused'
for wrong in 'benchmark step2' 'bench' 'bench step3' 'bench step2 --sizes 64' 'train --train.step=2' 'pretrain --losses.fine_radius=3' \
  'launch --ranks 2 -- trian' 'doctor -x'; do
  read -ra words <<< "$wrong"
  if parses "${words[@]}" 2> wrong.log; then die "a wrong example parses: stc $wrong"; fi
done

failures=()
check
printf '%s\n' "${failures[@]}" >&2
[ ${#failures[@]} -eq 0 ] || die "${#failures[@]} of the help's promises are broken"
[ "$checked" -ge 40 ] || die "only $checked examples were found"
echo "$checked examples parse"
