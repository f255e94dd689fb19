# Sourced by the benchmarks.
# shellcheck shell=bash

# options NAME... -- ARGUMENT...: sets the variable NAME for each `--NAME VALUE`, and takes no other argument.
options() {
  local known=' '
  while [ "$1" != -- ]; do
    known+="--$1 "
    shift
  done
  shift
  while [ $# -gt 0 ]; do
    if [ $# -eq 1 ] || [[ $known != *" $1 "* ]]; then
      echo "${0##*/}: unknown argument, or one without a value: $1; the head of this file lists what there is" >&2
      exit 2
    fi
    printf -v "${1#--}" %s "$2"
    shift 2
  done
}
