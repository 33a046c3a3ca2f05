# Sourced by .ci/run and .ci/long: runs lanes one after the other and adds up what they counted.
#
# A lane is a command. Its output goes to the log as it comes. Every line of the form
# `name: N passed, N failed` counts; a lane without such a line counts as one, by its exit code. A
# lane that exits with an error though it counted no failure counts one. A lane over its budget is
# warned about, and goes on; at five times its budget it is taken to hang and is stopped.

set -o pipefail

passed=0
failed=0
skipped=0
summary=""
logs="$(mktemp -d "${TMPDIR:-/tmp}/edge-kms-ci-XXXXXX")"
trap 'rm -rf "$logs"' EXIT
started=$SECONDS

# lane NAME BUDGET_SECONDS COMMAND...
lane() {
  local name="$1" budget="$2" log="$logs/$1.log" start=$SECONDS code=0
  shift 2
  printf '\n=== lane %s (budget %d s): %s\n' "$name" "$budget" "$*"
  timeout --kill-after=10 $((budget * 5)) "$@" </dev/null 2>&1 | tee "$log" ||
    code=${PIPESTATUS[0]}
  local took=$((SECONDS - start)) counts lane_passed lane_failed lane_skipped lines
  counts="$(
    sed -E 's/\x1b\[[0-9;]*m//g' "$log" |
      awk '/^([A-Za-z0-9_.-]+: )?[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
        sub(/^[A-Za-z0-9_.-]+: /, "")
        lines++; passed += $1; failed += $3; skipped += $5
      } END { print passed + 0, failed + 0, skipped + 0, lines + 0 }'
  )"
  read -r lane_passed lane_failed lane_skipped lines <<<"$counts"
  if [ "$code" -ne 0 ] && [ "$lane_failed" -eq 0 ]; then lane_failed=1; fi
  if [ "$code" -eq 0 ] && [ "$lines" -eq 0 ]; then lane_passed=1; fi
  passed=$((passed + lane_passed))
  failed=$((failed + lane_failed))
  skipped=$((skipped + lane_skipped))
  local note=""
  if [ "$took" -gt "$budget" ]; then
    note=" OVER BUDGET"
    printf 'warning: lane %s took %d s, its budget is %d s\n' "$name" "$took" "$budget"
  fi
  summary+="$(printf '%-12s %6d passed %4d failed %4d skipped %5d s of %5d s%s' \
    "$name" "$lane_passed" "$lane_failed" "$lane_skipped" "$took" "$budget" "$note")"$'\n'
}

# has_script NAME: package.json has it, and the file that it runs is there.
has_script() {
  node -e '
    const script = require("./package.json").scripts[process.argv[1]]
    const file = /^node (\S+)/.exec(script ?? "")?.[1]
    process.exit(script && (!file || require("node:fs").existsSync(file)) ? 0 : 1)
  ' "$1"
}

# script_lane LANE BUDGET_SECONDS NPM_SCRIPT
script_lane() {
  if has_script "$3"; then
    lane "$1" "$2" npm run --silent "$3"
  else
    lane "$1" "$2" bash -c "echo 'there is no npm script $3, or its file is missing'; exit 1"
  fi
}

# The last line is the count, alone.
finish() {
  printf '\n%s' "$summary"
  printf 'total: %d s, %d skipped\n' "$((SECONDS - started))" "$skipped"
  if [ $((passed + failed)) -eq 0 ]; then failed=1; fi
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
