#!/bin/bash
# Puts the `mlp` command into PREFIX/bin: bazel run //tools:install -- --prefix=$HOME/.local
set -euo pipefail

usage="usage: bazel run //tools:install -- [--prefix=DIR] [--force]
Copies the mlp command to DIR/bin/mlp; DIR is \$HOME/.local where it is not given.
--force replaces a file that is no mlp."

refuse() {
  echo "install: $*" >&2
  exit 2
}
fail() {
  echo "install: $*" >&2
  exit 1
}

# Bazel says where the mlp is that it built.
[[ ${1:-} != -* && -f ${1:-} ]] || {
  echo "$usage" >&2
  exit 2
}
program=$1
shift
prefix=${HOME:-}/.local
force=false
for argument in "$@"; do
  case $argument in
    --prefix=?*) prefix=${argument#--prefix=} ;;
    --force) force=true ;;
    --help | -h)
      echo "$usage"
      exit 0
      ;;
    *) refuse "$argument: expected --prefix=DIR or --force; --help says more" ;;
  esac
done
# Relative to where the user stands.
[[ $prefix == /* ]] || prefix=${BUILD_WORKING_DIRECTORY:-$PWD}/$prefix

target=$prefix/bin/mlp
if [[ -e $target || -L $target ]] && ! $force; then
  # A word of its own help.
  [[ -f $target ]] && grep -qaF 'trains multilayer perceptrons, fast' "$target" ||
    fail "$target: expected an mlp to replace, found something else; name another --prefix, or give --force"
fi
mkdir -p "$prefix/bin" || fail "$prefix/bin: cannot make the directory; name another --prefix"
new=$(mktemp "$prefix/bin/.mlp.XXXXXX") || fail "$prefix/bin: cannot write here; name another --prefix"
trap 'rm -f "$new"' EXIT
cp -L "$program" "$new" || fail "$target: cannot write it; make room, or name another --prefix"
chmod 755 "$new"
mv -fT "$new" "$target" || fail "$target: cannot replace it; name another --prefix"
echo "$target"
case :${PATH:-}: in
  *:"$prefix/bin":*) ;;
  *) echo "install: note: $prefix/bin is not in PATH" >&2 ;;
esac
