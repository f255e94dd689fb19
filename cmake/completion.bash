# Completion of stc in bash: commands and options as its own --help lists them, keys of a training as --keys does.
# shellcheck shell=bash disable=SC2207
_stc() {
  local word=${COMP_WORDS[COMP_CWORD]} command=() i
  for ((i = 1; i < COMP_CWORD && ${#command[@]} < 2; ++i)); do
    [[ ${COMP_WORDS[i]} == [a-z]* ]] || break
    command+=("${COMP_WORDS[i]}")
  done
  local help words
  help=$("${COMP_WORDS[0]}" "${command[@]}" --help 2> /dev/null || "${COMP_WORDS[0]}" "${command[0]}" --help 2> /dev/null)
  case $word in
    -*)
      words=$(sed -nE 's/^ +(-[a-z],)?(--[a-z][a-z-]*).*/\2/p' <<< "$help")
      case ${command[0]} in
        pretrain | train) words+=" $("${COMP_WORDS[0]}" "${command[0]}" --keys 2> /dev/null |
          sed -nE 's/^ *(--[a-z0-9_.]+=).*/\1/p')" ;;
      esac
      ;;
    *) words=$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p' <<< "$help") ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _stc stc
