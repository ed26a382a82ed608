#!/bin/bash
# The programs report, compare and validate on small records: what they write, and exit codes.
set -euo pipefail
report=$PWD/$1
compare=$PWD/$2
validate=$PWD/$3
dir=$TEST_TMPDIR
export BUILD_WORKSPACE_DIRECTORY=$dir  # Where `bazel run` says that it was called.

# record SAMPLES_PER_S SPREAD_PCT: six runs of one variant, invented.
record() {
  local runs=() i
  for i in 0 1 2 3 4 5; do
    runs+=("$(awk -v v="$1" -v s="$2" -v i="$i" 'BEGIN {
      printf "{\"variant\": \"fast\", \"params\": {}, \"resolved\": {}, \"seed\": %d, \"repetition\": %d, ", i, i
      printf "\"status\": \"ok\", \"metrics\": {\"test_accuracy\": 0.9}, "
      printf "\"timings\": {\"samples_per_s\": %g}}", v * (1 + s / 100 * (i % 3 - 1)) }')")
  done
  local IFS=,
  cat <<JSON
{"schema_version": 1, "experiment": "speed", "question": "How fast?",
 "id": "20260131T120000Z-0123456-0a1b2c3d", "started_utc": "2026-01-31T12:00:00Z",
 "commit": "0123456789abcdef0123456789abcdef01234567", "dirty": false,
 "machine": {"id": "0a1b2c3d", "cpu": "Test CPU", "cores": 2, "isa": [], "caches": {},
             "memory_bytes": 1, "gpu": null, "governor": null, "cgroup_cpu_max": null,
             "load_average": null, "steal_pct": null},
 "build": {"compiler": "gcc", "mode": "opt", "copts": ""},
 "config": {"dataset": "digits"}, "runs": [${runs[*]}]}
JSON
}

# expect CODE COMMAND...: its exit code; what it says goes to $dir/out and $dir/err.
expect() {
  local expected=$1 code=0
  shift
  "$@" > "$dir/out" 2> "$dir/err" || code=$?
  [[ $code == "$expected" ]] || {
    echo "expected exit code $expected, found $code: $*"
    cat "$dir/out" "$dir/err"
    exit 1
  }
}

record 1000 0.1 > "$dir/old.json"
record 1000 0.1 > "$dir/same.json"
record 500 0.1 > "$dir/slower.json"
record 1000 40 > "$dir/noisy.json"
echo '{"schema_version": 1}' > "$dir/broken.json"

expect 0 "$compare" "$dir/old.json" "$dir/same.json"
grep -q '^no slower' "$dir/out"
expect 1 "$compare" "$dir/old.json" "$dir/slower.json"
grep -q '`fast`' "$dir/out"
expect 0 "$compare" --threshold=150 "$dir/old.json" "$dir/slower.json"
expect 3 "$compare" "$dir/old.json" "$dir/noisy.json"
expect 1 "$compare" --json "$dir/old.json" "$dir/slower.json"
grep -q '^ *"verdict": "slower"' "$dir/out"
[[ $(head -c 1 "$dir/out") == '{' && $(tail -1 "$dir/out") == '}' ]]
expect 2 "$compare" "$dir/old.json"
expect 2 "$compare" "$dir/old.json" "$dir/none.json"
grep -q 'none.json' "$dir/err"
expect 2 "$compare" "$dir/old.json" "$dir/broken.json"
grep -q 'broken.json: /' "$dir/err"

sed 's/"digits"/"mnist"/' "$dir/old.json" > "$dir/mnist.json"
expect 2 "$compare" "$dir/old.json" "$dir/mnist.json"
grep -q 'mnist.json: config.dataset: expected digits' "$dir/err"
sed 's/"digits"/"digits", "threads": 2/' "$dir/old.json" > "$dir/two.json"
sed 's/"digits"/"digits", "threads": 1/' "$dir/old.json" > "$dir/one.json"
expect 2 "$compare" "$dir/two.json" "$dir/one.json"
grep -q 'one.json: config.threads: expected 2, as in .*two.json, found 1' "$dir/err"
sed 's/"variant": "fast"/"variant": "other"/g' "$dir/old.json" > "$dir/other.json"
expect 2 "$compare" "$dir/old.json" "$dir/other.json"
grep -q 'other.json: .*same variants' "$dir/err"
expect 0 "$compare" --help
grep -q '^Exit code: 0 .*1 slower or worse' "$dir/out"

expect 0 "$validate" "$dir/old.json" "$dir/same.json"
[[ $(grep -c '^ok ' "$dir/out") == 2 ]]
grep -q 'warning: .*/old.json: expected the name 20260131T120000Z-0123456-0a1b2c3d.json' "$dir/err"
expect 1 "$validate" "$dir/old.json" "$dir/broken.json"
grep -q '^bad .*broken.json' "$dir/out"
expect 1 "$validate" "$dir/none.json"
expect 2 "$validate" --nonsense

results=$dir/results
mkdir -p "$results/raw/speed"
cp "$dir/old.json" "$results/raw/speed/20260131T120000Z-0123456-0a1b2c3d.json"
printf 'Before.\n<!-- begin tables/speed-digits-0a1b2c3d.md -->\n<!-- end -->\nAfter.\n' > "$dir/page.md"
expect 0 "$report" --results="$results" --page="$dir/page.md"
grep -q '^## speed' "$results/REPORT.md"
expect 0 "$validate" "$results"
[[ ! -s $dir/err ]]
grep -q '<svg' "$results/report.html"
grep -q 'plots/speed-digits-0a1b2c3d-1-bars.svg' "$results/report.manifest"
[[ -s $results/plots/speed-digits-0a1b2c3d-1-bars.svg ]]
grep -q '`fast`' "$dir/page.md"
[[ $(tail -1 "$dir/page.md") == After. ]]

# The same records give the same bytes.
cp -r "$results" "$dir/first"
expect 0 "$report" --results="$results"
diff -r "$dir/first" "$results"

# What somebody else wrote under a name of the report's stays, unless it is forced.
rm "$results/report.manifest"
echo mine > "$results/REPORT.md"
expect 1 "$report" --results="$results"
grep -q -- 'REPORT.md: .*--force' "$dir/err"
[[ $(cat "$results/REPORT.md") == mine ]]
expect 0 "$report" --results="$results" --force
grep -q '^## speed' "$results/REPORT.md"

# A broken record is named; the report is made of the others.
cp "$dir/broken.json" "$results/raw/speed/"
expect 1 "$report" --results="$results"
grep -q 'broken.json' "$dir/err"
grep -q '^## speed' "$results/REPORT.md"
expect 1 "$report" --results="$dir/none"
echo 'no place' > "$dir/no_place.md"
expect 1 "$report" --results="$results" --page="$dir/no_place.md"
grep -q 'no_place.md: expected a line' "$dir/err"
expect 1 "$report" --results="$results" --page="$dir/none.md"
expect 2 "$report" --nonsense

# Two flags for one directory agree.
rm "$results/raw/speed/broken.json"
expect 2 "$report" --results="$results" --out="$dir/first"
grep -q -- "--results=$results, --out=$dir/first: " "$dir/err"
expect 0 "$report" --results="$results" --out="$results"
expect 0 "$report" --out="$results"

# A gnuplot that a signal ends says nothing by itself.
mkdir "$dir/bin"
printf '#!/bin/sh\nkill -XFSZ $$\n' > "$dir/bin/gnuplot"
chmod +x "$dir/bin/gnuplot"
PATH=$dir/bin:$PATH expect 1 "$report" --results="$results"
grep -q 'report: plots/speed-digits-0a1b2c3d-1-bars.svg: gnuplot: .*signal 25 .*limits' "$dir/err"
