#!/bin/bash
# Nets of values by name: their activations, schedules, and what is said of a wrong command line.
# usage: value_mlp_test.sh VALUE_MLP
set -euo pipefail
value_mlp=$PWD/$1
out=$TEST_TMPDIR/results

# An activation that vectorised nets lack: values train, the others are left out with the reason.
"$value_mlp" quick --smoke --epochs=2 --model=784-12-gelu-8-elu-10 --schedule=exponential --decay=0.5 --threads=1 \
  --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"
grep -q 'vectorised .*skipped: only nets of values have gelu' "$TEST_TMPDIR/stdout"
grep -q 'values, double .*each step within' "$TEST_TMPDIR/stderr"
record=$(echo "$out"/raw/value_mlp/*.json)
grep -q '"model": "784-12-gelu-8-elu-10"' "$record"
grep -q '"schedule": "exponential"' "$record"
for layer in 1 2 3; do grep -q "Gradient in layer $layer" "$record"; done
! grep -q 'Gradient in layer 4' "$record"

# Both sorts of nets tell what a sample takes.
rm -r "$out"
"$value_mlp" quick --smoke --threads=1 --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"
record=$(echo "$out"/raw/value_mlp/*.json)
[[ $(grep -c '"bytes_per_sample":[0-9]' "$record") == 6 ]]
[[ $(grep -c '"bytes_per_node":[0-9]' "$record") == 6 ]]
grep -q '"agreeing_steps":50,' "$record"

# l2 is compared with the reference, dropout is not; vectorised nets have neither.
rm -r "$out"
"$value_mlp" quick --smoke --threads=1 --l2=0.01 --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"
grep -q 'vectorised .*skipped: only nets of values have l2' "$TEST_TMPDIR/stdout"
grep -q 'values, double .*each step within' "$TEST_TMPDIR/stderr"
rm -r "$out"
"$value_mlp" quick --smoke --threads=1 --dropout=0.5 --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"
grep -q 'vectorised .*skipped: only nets of values have dropout' "$TEST_TMPDIR/stdout"
grep -q '^values, double ' "$TEST_TMPDIR/stderr"
! grep -q 'each step within' "$TEST_TMPDIR/stderr"

# Weights that grow without bound are no error of the gradient.
rm -r "$out"
"$value_mlp" quick --smoke --threads=1 --learning_rate=1e6 --out="$out" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr"

# A graph is written, and where it cannot be that is said before the work.
"$value_mlp" quick --smoke --threads=1 --graph="$TEST_TMPDIR/a.dot" --out="$out" > /dev/null 2>&1
grep -q 'label="loss' "$TEST_TMPDIR/a.dot"
echo mine > "$TEST_TMPDIR/mine.dot"

refused() {  # TEXT FLAG...
  local code=0
  "$value_mlp" quick --smoke --out="$out" "${@:2}" > /dev/null 2> "$TEST_TMPDIR/stderr" || code=$?
  [[ $code == 2 ]]
  grep -q -- "$1" "$TEST_TMPDIR/stderr"
}
refused 'part 5: activation: expected one of identity, .*elu, gelu, softplus, found "mish"' --model=784-16-gelu-8-mish-10
refused 'expected softmax' --model=784-16-10-linear
refused 'expected --schedule=linear or --schedule=cosine' --decay_to=0.1
refused '--schedule: expected one of constant, step, exponential, linear, cosine' --schedule=none
refused 'no/such/a.dot' --graph="$TEST_TMPDIR/no/such/a.dot"
refused 'mine.dot' --graph="$TEST_TMPDIR/mine.dot"
refused '--dropout: expected' --dropout=1
refused 'activations stand behind' --model=784-swish-10
