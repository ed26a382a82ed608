#!/bin/bash
# What was measured before a kill or Ctrl-C is kept, and --resume measures the rest alone.
set -euo pipefail
experiment=$PWD/$1
runner=$PWD/$2
validate=$PWD/$3
unset BUILD_WORKING_DIRECTORY BUILD_WORKSPACE_DIRECTORY

fail() {
  echo "$*"
  cat "$TEST_TMPDIR/stdout" "$TEST_TMPDIR/stderr"
  exit 1
}

start() { "$@" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr" & }

# wait_until PID CONDITION...: until it holds; the program must not end before.
wait_until() {
  local pid=$1
  shift
  until "$@"; do
    kill -0 "$pid" 2> /dev/null || fail "it ended before: $*"
    sleep 0.002
  done
}

has_runs() { [[ $(cat "$1"/raw/seeds/*.partial.jsonl 2> /dev/null | wc -l) -ge 3 ]]; }
has_line() { [[ -e $1 ]] && grep -qx "$2" "$1"; }

# An experiment of 400 short runs (two variants), ended by a signal and resumed.
for signal in KILL INT; do
  out=$TEST_TMPDIR/$signal
  command=("$experiment" --data=circles --model=2-8-8-1 --epochs=1 --gate=0
    --repetitions=200 --threads=1 --out="$out")
  start "${command[@]}"
  pid=$!
  wait_until "$pid" has_runs "$out"
  kill -"$signal" "$pid"
  code=0
  wait "$pid" || code=$?
  [[ $signal == KILL || $code == 130 ]] || fail "expected exit code 130, found $code"
  [[ $signal == KILL ]] || grep -q 'with --resume goes on' "$TEST_TMPDIR/stderr" || fail "no remedy"
  # Its whole lines but for the head are runs.
  kept=$TEST_TMPDIR/kept
  sed -n '2,$p' "$out"/raw/seeds/*.partial.jsonl | grep '}$' > "$kept"

  start "${command[@]}" --resume
  wait $! || fail "--resume failed"
  grep -qx "resumed, runs that are there: $(wc -l < "$kept")" "$TEST_TMPDIR/stderr" || fail "not resumed"
  record=("$out"/raw/seeds/*.json)
  [[ ${#record[@]} == 1 && ! -e $(echo "$out"/raw/seeds/*.partial.jsonl) ]] || fail "files are left"
  sed 's/^ *//; s/,$//' "$record" > "$TEST_TMPDIR/lines"
  while read -r run; do
    grep -qxF -- "$run" "$TEST_TMPDIR/lines" || fail "measured again: $run"
  done < "$kept"
  [[ $(grep -c '^{"variant"' "$TEST_TMPDIR/lines") == 400 ]] || fail "expected 400 runs"
  "$validate" "$record" > "$TEST_TMPDIR/stdout" || fail "no valid record"
done

# All experiments, ended during one of them and resumed.
for signal in INT TERM; do
  out=$TEST_TMPDIR/all_$signal
  command=("$runner" --smoke --only=threads,optimizers,seeds --threads=1
    --out="$out")
  start "${command[@]}"
  pid=$!
  wait_until "$pid" has_line "$out/experiments.partial" "threads [0-9.]* done"
  kill -"$signal" "$pid"
  code=0
  wait "$pid" || code=$?
  [[ $code == 130 ]] || fail "expected exit code 130, found $code"
  grep -q 'interrupted; the same command with --resume goes on' "$TEST_TMPDIR/stderr" || fail "no remedy"
  start "${command[@]}" --resume
  wait $! || fail "--resume failed"
  ! grep -q '^threads ' "$TEST_TMPDIR/stdout" || fail "threads was run again"
  for name in threads optimizers seeds; do
    records=("$out/raw/$name"/*.json)
    [[ -e $records && ${#records[@]} == 1 ]] || fail "expected one record of $name"
  done
  [[ ! -e $out/experiments.partial ]] || fail "the list is left"
  "$validate" "$out" > "$TEST_TMPDIR/stdout" || fail "no valid records"
done
