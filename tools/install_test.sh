#!/bin/bash
# Where install puts the command, and what it refuses.
set -euo pipefail
install=$1
mlp=$2
unset BUILD_WORKING_DIRECTORY

fail() {
  echo "$*"
  exit 1
}
# run EXPECTED_CODE ARGUMENT...
run() {
  local expected=$1 code=0
  shift
  "$install" "$mlp" "$@" > "$TEST_TMPDIR/stdout" 2> "$TEST_TMPDIR/stderr" || code=$?
  [[ $code == "$expected" ]] || fail "$*: expected exit code $expected, found $code: $(cat "$TEST_TMPDIR/stderr")"
}

prefix=$TEST_TMPDIR/a/prefix
run 0 --prefix="$prefix"
[[ $(cat "$TEST_TMPDIR/stdout") == "$prefix/bin/mlp" ]] || fail "it does not say where"
grep -q "$prefix/bin is not in PATH" "$TEST_TMPDIR/stderr" || fail "it does not say what is missing"
"$prefix/bin/mlp" inspect --model=4-2 | grep -q '4-2' || fail "it does not run"
[[ $(ls -A "$prefix/bin") == mlp ]] || fail "something is left beside it"

# Over an older one, and to where the user stands.
run 0 --prefix="$prefix"
(cd "$TEST_TMPDIR" && BUILD_WORKING_DIRECTORY=$TEST_TMPDIR "$OLDPWD/$install" "$OLDPWD/$mlp" --prefix=here) > /dev/null 2>&1
[[ -x $TEST_TMPDIR/here/bin/mlp ]] || fail "a relative prefix is elsewhere"
HOME=$TEST_TMPDIR/home run 0
[[ -x $TEST_TMPDIR/home/.local/bin/mlp ]] || fail "the default is elsewhere"

# Nobody else's file is replaced unless told to, nor a directory.
rm "$prefix/bin/mlp"
echo mine > "$prefix/bin/mlp"
run 1 --prefix="$prefix"
grep -q 'found something else' "$TEST_TMPDIR/stderr" || fail "no reason"
[[ $(cat "$prefix/bin/mlp") == mine ]] || fail "it is gone"
run 0 --prefix="$prefix" --force
[[ -x $prefix/bin/mlp ]] || fail "not replaced"
echo > "$TEST_TMPDIR/file"
run 1 --prefix="$TEST_TMPDIR/file"
run 2 --prefix=
run 2 --nonsense
code=0
"$install" --help > /dev/null 2> "$TEST_TMPDIR/stderr" || code=$?
[[ $code == 2 ]] && grep -q '^usage: bazel run' "$TEST_TMPDIR/stderr" || fail "without an mlp: no usage"
run 0 --help
grep -q -- '--prefix=DIR' "$TEST_TMPDIR/stdout" || fail "no help"
