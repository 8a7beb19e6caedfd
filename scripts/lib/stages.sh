# Stages of scripts/test and .ci/run: each builds one preset and checks it.
# Sourced after common.sh. A stage prints its own output, and its verdict is kept
# for the table that report_stages prints at the end.

reports=build/reports
stage_rows=()      # "name|verdict|seconds|remark"
stage_failed=""    # first stage that failed
stage_deadline=""  # in $SECONDS; empty: none

# ctest with the arguments given; its output is kept as the stage's summary.
run_ctest() {  # preset [argument…]
  local preset=$1; shift
  mkdir -p "$reports"
  ctest --preset "$preset" -j "$(jobs_wanted)" --no-tests=error "$@" 2>&1 | tee "$reports/$stage.ctest"
}

# Programs that a preset builds, separated by commas.
program_names() {  # preset
  find "build/$1/bin" -maxdepth 1 -type f -perm -u+x -printf '%f\n' 2>/dev/null | sort | paste -sd,
}

# What a person runs first, from nothing.
stage_test() {
  scripts/setup --full
  scripts/test --no-setup
}

# What QEMU machines install, made once and kept; the tests that need it say why they
# are skipped where it cannot be made.
prepare_images() {
  [ "$(id -u)" != 0 ] || scripts/build-image --small || say "no image: tests that install machines will fail"
}

stage_dev() {
  configure_and_build dev
  prepare_images
  run_ctest dev --label-exclude long
}

stage_release() {
  configure_and_build release
  python3 tests/packaging/hardening_test.py --bin build/release/bin --build-type Release \
    --programs "$(program_names dev)"
}

stage_asan() {
  configure_and_build asan
  run_ctest asan --label-regex "${NIMBUS_SANITIZED:-unit|e2e}" --label-exclude 'long|qemu'
}

stage_tsan() {
  configure_and_build tsan
  run_ctest tsan --label-regex "${NIMBUS_SANITIZED:-unit|e2e}" --label-exclude 'long|qemu'
}

stage_long() {
  configure_and_build dev
  run_ctest dev --label-regex long ${NIMBUS_LONG_WITHOUT:+--label-exclude "$NIMBUS_LONG_WITHOUT"}
}

stage_fuzz() {
  configure_and_build fuzz
  scripts/fuzz --no-build --seconds "${NIMBUS_FUZZ_SECONDS:-20}"
}

stage_format() { scripts/format --check; }

# Runs one stage in a process of its own, so that a failure ends that stage only.
run_stage() {  # name
  local stage=$1 started=$SECONDS verdict=passed status=0
  export stage
  step "stage $stage"
  if [ -n "$stage_deadline" ]; then
    timeout --kill-after=20 $((stage_deadline - SECONDS)) \
      bash -c "source scripts/lib/common.sh; source scripts/lib/stages.sh; stage_$stage" || status=$?
  else
    bash -c "source scripts/lib/common.sh; source scripts/lib/stages.sh; stage_$stage" || status=$?
  fi
  if [ "$status" = 124 ] || [ "$status" = 137 ]; then
    verdict="out of time"
  elif [ "$status" != 0 ]; then
    verdict=FAILED
    stage_failed=${stage_failed:-$stage}
  fi
  stage_rows+=("$stage|$verdict|$((SECONDS - started))|$(ctest_verdict "$reports/$stage.ctest")")
}

# Runs a stage if what it usually takes still fits before the deadline.
run_stage_if_time() {  # name minutes
  local left=$((stage_deadline - SECONDS))
  if [ "$left" -ge $(($2 * 60)) ]; then
    run_stage "$1"
  else
    stage_rows+=("$1|not run|0|needs about $2 min, $((left > 0 ? left / 60 : 0)) left")
  fi
}

ctest_verdict() { [ ! -e "$1" ] || grep -m1 'tests passed' "$1" || true; }

report_stages() {
  local row name verdict seconds remark
  step "what ran"
  for row in "${stage_rows[@]}"; do
    IFS='|' read -r name verdict seconds remark <<<"$row"
    printf '%-10s %-12s %5d s  %s\n' "$name" "$verdict" "$seconds" "$remark"
  done
  # ctest's own summary last: of the first stage that failed, else of the main one.
  local last=${stage_failed:-dev}
  [ -e "$reports/$last.ctest" ] || last=dev
  if [ -e "$reports/$last.ctest" ]; then
    step "ctest's summary, stage $last"
    sed -n '/tests passed/,$p' "$reports/$last.ctest"
  fi
  [ -z "$stage_failed" ]
}
