#!/bin/bash
# The passes over tapes on emulated CPUs without AVX2 and without AVX-512: no instruction runs on a CPU that lacks it (rule R4).
# usage: qemu_test.sh TEST...
set -eu
for cpu in Nehalem Haswell; do
  for test in "$@"; do
    echo "$test on $cpu"
    # Each death test is a process of its own: seconds there, and nothing new.
    qemu-x86_64 -cpu "$cpu" "$test" --gtest_brief=1 --gtest_filter=-*Misuse*
  done
done
