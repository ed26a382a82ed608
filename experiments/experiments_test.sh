#!/bin/bash
# The runner: what it says, and its exit codes.
set -euo pipefail
runner=$PWD/$1
gradient_strategies=$PWD/$2
tiny=$PWD/$3
inference=$PWD/$4
out=$TEST_TMPDIR/results

"$runner" --smoke --only=seeds,threads --threads=2 --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"
[[ $(grep -c ' ok ' "$TEST_TMPDIR/stdout") == 2 ]]
grep -q "$out/raw/seeds/.*\.json" "$TEST_TMPDIR/stdout"
grep -q 'bazelw run //analysis:report' "$TEST_TMPDIR/stderr"
[[ -n $(echo "$out"/raw/threads/*.json) ]]

# A list of what was done for another question is not gone on with; the list goes with its end.
printf -- '--data=other\nseeds 1.000 done\n' > "$out/experiments.partial"
"$runner" --smoke --resume --only=seeds --threads=2 --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"
grep -q 'of other flags or sources; beginning anew' "$TEST_TMPDIR/stderr"
grep -q '^seeds  *ok' "$TEST_TMPDIR/stdout"
[[ ! -e $out/experiments.partial ]]

# One experiment fails (it cannot read its data): the other is run, too, and the exit code says so.
code=0
"$runner" --smoke --only=seeds,threads --data="$TEST_TMPDIR" --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr" || code=$?
[[ $code == 1 ]]
[[ $(grep -c 'failed (1)' "$TEST_TMPDIR/stdout") == 2 ]]

code=0
"$runner" --only=nonsense 2> "$TEST_TMPDIR/stderr" || code=$?
[[ $code == 2 ]]
grep -q 'nonsense' "$TEST_TMPDIR/stderr"

# Values are no pixels: strategies that need those are left out instead of failing.
"$gradient_strategies" --smoke --quiet --data=circles --model=2-8-8-1 --threads=2 --out="$out" > "$TEST_TMPDIR/stdout"
grep -q 'fused' "$TEST_TMPDIR/stdout"
! grep -q 'tensor_parallel' "$TEST_TMPDIR/stdout"

# Who asks about data of its own takes no other, and the runner hands it none.
code=0
"$tiny" --smoke --data=digits --out="$out" 2> "$TEST_TMPDIR/stderr" || code=$?
[[ $code == 2 ]]
grep -qx 'tiny: --data: expected one of circles, found "digits"' "$TEST_TMPDIR/stderr"
"$tiny" --help | grep -q -- '--data=circles .*\[circles\]'
"$runner" --smoke --quiet --only=tiny --data=digits --threads=2 --out="$out" > "$TEST_TMPDIR/stdout"
grep -q '^tiny  *ok' "$TEST_TMPDIR/stdout"

# The temporary directory of --smoke has to be there.
code=0
TMPDIR=$TEST_TMPDIR/nowhere "$runner" --smoke --only=tiny 2> "$TEST_TMPDIR/stderr" || code=$?
[[ $code == 1 ]]
grep -q '^experiments: TMPDIR: expected a directory' "$TEST_TMPDIR/stderr"

# Batches are as large as they are called.
"$inference" --smoke --quiet --threads=1 --out="$out" > "$TEST_TMPDIR/stdout"
[[ $(grep -c 'batch=\(1024\|4096\) .*skipped: the test part has only 256 samples' "$TEST_TMPDIR/stdout") == 4 ]]
