# Sourced by the commands in tools/ and bench/: installs the Debian packages that are missing, and builds.
#
# The lists hold what the project uses directly and nothing else: tests/setup_test.py holds them against the sources.

# what the library is built with, its ledger included
library_packages=(g++ cmake ninja-build pkgconf libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev libfmt-dev zlib1g-dev
    libutf8proc-dev libsqlite3-dev)
# what the command line and the emulator need in addition, to be built and to run
program_packages=(libcli11-dev libtesseract-dev libleptonica-dev libpoppler-cpp-dev libcairo2-dev
    libpango1.0-dev libfontconfig-dev prometheus-cpp-dev libjs-chart.js tesseract-ocr-eng tesseract-ocr-vie fonts-dejavu-core)
test_packages=(doctest-dev python3 curl openssl valgrind chromium tidy prometheus doxygen)
clang_packages=(clang-19)
fuzz_packages=(clang-19 libclang-rt-19-dev)
bench_packages=(libcurl4-openssl-dev libbenchmark-dev python3 python3-aiohttp python3-requests openssl nginx-light libnginx-mod-http-lua
    strace valgrind)
bare_packages=(mmdebstrap git)
package_packages=(dpkg-dev lintian)

# Packages that an installation may take away. Only one flavour of libcurl's headers fits on a machine, and libtesseract-dev brings any.
replaceable=" libcurl4-gnutls-dev libcurl4-nss-dev "

# is_terminal: whether a line on standard output can be rewritten in place.
is_terminal() { [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; }

# follow LOG WHAT: copies its input to LOG and says how far WHAT is. On a terminal that is one line, which a carriage return and spaces
# rewrite; elsewhere it is a line every 20 seconds.
follow() {
    local log=$1 what=$2 part='' line='' steps='' done=0 total=0 begun=$SECONDS said=0 width=0 text code
    while :; do
        code=0
        IFS= read -r -t 1 part || code=$?
        line+=$part
        if [ $code -eq 0 ]; then
            printf '%s\n' "$line" >>"$log"
            if [[ $line =~ ^\[([1-9][0-9]*)/([0-9]+)\]\  ]]; then # ninja
                done=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
            elif [[ $line =~ ^[0-9]+\ upgraded,\ ([0-9]+)\ newly\ installed ]]; then # apt-get; each package is unpacked, then set up
                total=$((2 * BASH_REMATCH[1]))
            elif [[ $line == 'Unpacking '* || $line == 'Setting up '* ]]; then
                done=$((done + 1))
            fi
            line=''
        elif [ $code -le 128 ]; then # the end; above, a second has passed
            [ -z "$line" ] || printf '%s\n' "$line" >>"$log"
            break
        fi
        [ "$total" -eq 0 ] || steps=" $((done < total ? done : total)) of $total steps,"
        text="$what:$steps $((SECONDS - begun)) s"
        if is_terminal; then
            [ "${#text}" -le "$width" ] || width=${#text}
            printf '\r%-*s' "$width" "$text"
        elif [ $((SECONDS - begun - said)) -ge 20 ]; then
            said=$((SECONDS - begun))
            printf '%s\n' "$text"
        fi
    done
    if is_terminal; then
        printf '\r%-*s\n' "$width" "$what: $((SECONDS - begun)) s"
    elif [ "$said" -gt 0 ]; then
        printf '%s\n' "$what: $((SECONDS - begun)) s in all"
    fi
}

# install_with_apt PACKAGE...
install_with_apt() {
    local as_root=() removed package keep=(--no-remove)
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    # What cannot be reached may not matter: the installation decides.
    "${as_root[@]}" env LC_ALL=C apt-get update || true
    # Another version of a library that is in use on this machine must not vanish for ours.
    removed=$(LC_ALL=C apt-get install --simulate --no-install-recommends "$@" | sed -n 's/^Remv \([^ ]*\).*/\1/p') || true
    if [ -n "$removed" ]; then
        keep=()
        for package in $removed; do
            [[ $replaceable == *" ${package%%:*} "* ]] || keep=(--no-remove)
        done
    fi
    "${as_root[@]}" env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${keep[@]}" \
        -o DPkg::Lock::Timeout=300 "$@"
}

# install_missing PACKAGE...
install_missing() {
    local missing=() package log
    if ! command -v apt-get >/dev/null; then
        echo "there is no apt-get here; the build needs what these Debian packages contain: $*"
        return 0
    fi
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "${#missing[@]} packages are missing, and there is no sudo to install them with; run this as root, then the same command again:" >&2
        echo "apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
        return 1
    fi
    echo "missing packages: ${missing[*]}"
    # Here, since a password that is asked for later would be asked for between the messages.
    [ "$(id -u)" -eq 0 ] || sudo -v || return 1
    log=$(mktemp)
    if ! install_with_apt "${missing[@]}" 2>&1 | follow "$log" "installing ${#missing[@]} packages and what they depend on"; then
        tail -n 20 "$log" >&2
        echo "the packages could not be installed; apt-get's messages are above (whole log: $log)" >&2
        if grep -q 'Unable to locate package' "$log" && ! grep -q '^VERSION_CODENAME=bookworm' /etc/os-release 2>/dev/null; then
            echo "the package names are those of Debian 12" >&2
        elif grep -qE 'Could not (resolve|connect)|Temporary failure resolving|Network is unreachable' "$log"; then
            echo "the package servers cannot be reached: look at the network, and at the proxy settings of apt-get" >&2
        fi
        return 1
    fi
    rm -f "$log"
}

# parallel_jobs: a compiler for each processor, as long as each has a gigabyte of memory.
parallel_jobs() {
    local jobs available
    jobs=$(nproc)
    available=$(sed -nE 's/^MemAvailable: *([0-9]+) kB$/\1/p' /proc/meminfo 2>/dev/null) || true
    if [ -n "$available" ] && [ $((available / 1000000)) -lt "$jobs" ]; then jobs=$((available / 1000000)); fi
    [ "$jobs" -ge 1 ] || jobs=1
    echo "$jobs"
}

# build PRESET [TARGET...]: configures and builds, and says how far it is; prints errors from the log only when that fails.
build() {
    local preset=$1 log
    shift
    local folder=build/$preset
    while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
    if [ ! -w "$folder" ]; then
        echo "$(realpath "$folder") is not writable, and the build goes there: copy the project to a folder of your own" >&2
        return 1
    fi
    # ccache is used where it is installed, but it stops without a folder of its own.
    [ -n "${CCACHE_DIR:-}" ] || [ -w "${HOME:-/nonexistent}" ] || export CCACHE_DISABLE=1
    log=$(mktemp)
    is_terminal || echo "building (preset $preset) ..."
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset" --parallel "$(parallel_jobs)" ${1:+--target "$@"}; } 2>&1 |
        follow "$log" "building (preset $preset)"; then
        if grep -q '^CMake Error' "$log"; then # it says what is wrong in the lines below
            sed -n '/^CMake Error/,$p' "$log" | head -n 20 >&2
        else
            grep -nE 'error|Error|FAILED|Killed' "$log" | head -n 20 >&2 || true
        fi
        echo "the build failed (whole log: $log)" >&2
        return 1
    fi
    rm -f "$log"
}
