#!/bin/bash
# The passes over tapes on emulated CPUs without AVX2 and without AVX-512: no instruction runs on a CPU that lacks it (rule R4).
# usage: qemu_test.sh TEST...
set -eu
for cpu in Nehalem Haswell; do
  for test in "$@"; do
    echo "$test on $cpu"
    qemu-x86_64 -cpu "$cpu" "$test" --gtest_brief=1
  done
done
