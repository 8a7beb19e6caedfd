# Shared by the scripts of this folder; sourced, never run.
# Sets `root` (the checkout) and changes into it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# A heading; bold on a terminal.
step() {
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    printf '\n\033[1m== %s\033[0m\n' "$*"
  else
    printf '\n== %s\n' "$*"
  fi
}

# Prints the comment block at the top of the calling script.
usage() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

# Runs a command again while it fails, with a longer rest each time.
retry() {  # times command…
  local times=$1 turn; shift
  for ((turn = 1; ; turn++)); do
    if "$@"; then return 0; fi
    if ((turn >= times)); then return 1; fi
    say "failed, once more in $((turn * 15)) s: $1" >&2
    sleep $((turn * 15))
  done
}

jobs_wanted() { echo "${NIMBUS_JOBS:-$(nproc)}"; }

configure_and_build() {  # preset [target…]
  local preset=$1; shift
  cmake --preset "$preset" >"build/configure.$preset.log" 2>&1 ||
    { cat "build/configure.$preset.log"; return 1; }
  cmake --build --preset "$preset" -j "$(jobs_wanted)" ${1:+--target "$@"}
}
