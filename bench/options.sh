# Sourced by the benchmarks.
# shellcheck shell=bash

# options NAME... -- ARGUMENT...: sets the variable NAME for each `--NAME VALUE`, and rejects any other argument.
options() {
  local known=' '
  while [ "$1" != -- ]; do
    known+="--$1 "
    shift
  done
  shift
  while [ $# -gt 0 ]; do
    if [ $# -eq 1 ] || [[ $known != *" $1 "* ]]; then
      echo "${0##*/}: $1 is an unknown option or has no value; the comment at the top of this script lists the options" >&2
      exit 2
    fi
    printf -v "${1#--}" %s "$2"
    shift 2
  done
}
