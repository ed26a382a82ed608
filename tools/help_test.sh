#!/bin/bash
# Every program explains itself: --help shows each flag's default and at least three examples, which
# its own parser has read (Flags::CheckExamples).
set -euo pipefail

check() {
  local help
  help=$("$@" --help) || { echo "$* --help: expected exit code 0"; exit 1; }
  [[ $(sed -n '/^Examples$/,$p' <<< "$help" | grep -c '^  ') -ge 3 ]] ||
    { echo "$* --help: expected three examples, found"; echo "$help"; exit 1; }
  [[ $("$@" --help 2>&1 >/dev/full) == *"No space left on device" ]] ||
    { echo "$* --help >/dev/full: expected the reason"; exit 1; }
}

for program in "$@"; do
  check "./$program"
  [[ $program == mlp/cli/mlp ]] || continue
  commands=$("./$program" --help | sed -n '/^Commands$/,/^$/s/^  \([a-z]*\) .*/\1/p')
  [[ $(wc -w <<< "$commands") -ge 5 ]] || { echo "expected commands, found: $commands"; exit 1; }
  for command in $commands; do check "./$program" "$command"; done
done
