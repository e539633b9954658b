# Sourced by ./try and ./test: installs what is missing and builds. Quick when everything is there already.
# Needs Debian 12 or newer, and root or sudo for packages.

build_packages=(cmake ninja-build g++ ccache pkg-config python3 libboost1.81-dev librdkafka-dev libspdlog-dev libfmt-dev
  zlib1g-dev libssl-dev libdeflate-dev libcli11-dev libtomlplusplus-dev libhowardhinnant-date-dev tzdata libsystemd-dev
  prometheus-cpp-dev libmimalloc-dev libxxhash-dev libgtest-dev libgmock-dev libbenchmark-dev)
kafka_packages=(openjdk-17-jre-headless maven)
test_packages=(kcat python3-venv prometheus openssl curl chromium fonts-dejavu-core
  dpkg-dev file lintian mandoc systemd systemd-container)  # the Debian package and its units

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages NAME...: installs the Debian packages that are not there yet.
need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return 0
  if ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]}; there is no apt-get here: install them by hand and try again" >&2
    return 1
  fi
  say "installing ${missing[*]}"
  local log; log=$(mktemp)
  if ! { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "apt-get could not install ${missing[*]} (see above)" >&2
    return 1
  fi
  rm -f "$log"
}

# build PRESET [TARGET...]: configures and builds into build/PRESET.
build() {
  local preset=$1; shift
  say "building ($preset)"
  if [ ! -f "build/$preset/build.ninja" ] || [ -n "${TICKBRIDGE_CMAKE_FLAGS:-}" ]; then
    local log; log=$(mktemp)
    # shellcheck disable=SC2086
    cmake --preset "$preset" ${TICKBRIDGE_CMAKE_FLAGS:-} >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    rm -f "$log"
  fi
  cmake --build "build/$preset" -- "$@" | { if [ -t 1 ]; then cat; else grep -E '^(FAILED|ninja: (error|no work))|error:|warning:' || true; fi; }
  return "${PIPESTATUS[0]}"
}
