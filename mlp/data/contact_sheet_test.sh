#!/bin/bash
# The command line of contact_sheet: what it writes, and its exit codes.
set -u
tool=$1
out=$TEST_TMPDIR/out.png
unset BUILD_WORKING_DIRECTORY

expect() {
  local code=$1
  shift
  "$tool" "$@" >"$TEST_TMPDIR/stdout" 2>"$TEST_TMPDIR/stderr"
  local found=$?
  if [[ $found != "$code" ]]; then
    echo "contact_sheet $*: expected exit code $code, found $found"
    cat "$TEST_TMPDIR/stderr"
    exit 1
  fi
}

expect 0 --help
grep -q -- --data "$TEST_TMPDIR/stdout" || exit 1
expect 2
expect 2 --no_such_flag
expect 2 --out="$out" --rows=many
expect 1 --out="$out" --data=/no/such/folder
grep -q '^contact_sheet: /no/such/folder: ' "$TEST_TMPDIR/stderr" || exit 1
expect 2 --out="$out" --rows=0
[[ ! -e $out ]] || exit 1

expect 0 --out="$out" --rows=2 --cols=3 --data-seed=2
[[ $(head -c 4 "$out" | tail -c 3) == PNG ]] || exit 1
expect 0 --out="$out" --rows=1 --cols=1

echo 'not a picture' >"$out"
expect 1 --out="$out" --rows=1 --cols=1
grep -q 'not a picture' "$out" || exit 1
expect 0 --out="$out" --rows=1 --cols=1 --force

# Relative paths start where the user stands, as under bazel run.
mkdir "$TEST_TMPDIR/here"
export BUILD_WORKING_DIRECTORY=$TEST_TMPDIR/here
expect 1 --out=there.png --data=pictures --rows=1 --cols=1
grep -q "^contact_sheet: $TEST_TMPDIR/here/pictures: " "$TEST_TMPDIR/stderr" || exit 1
expect 1 --out=there.png --data=mnist --data_dir=pictures --rows=1 --cols=1
grep -q "$TEST_TMPDIR/here/pictures" "$TEST_TMPDIR/stderr" || exit 1
expect 0 --out=there.png --rows=1 --cols=1
[[ -s $TEST_TMPDIR/here/there.png ]] || exit 1
