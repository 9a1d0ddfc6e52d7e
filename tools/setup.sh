# Sourced by the scripts beside it: installs the Debian packages that are missing. Quiet when there are none.

build_packages=(g++ cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev
    libfmt-dev zlib1g-dev libutf8proc-dev libcli11-dev libtesseract-dev tesseract-ocr-eng tesseract-ocr-vie libpoppler-cpp-dev libcairo2-dev
    libpango1.0-dev libsqlite3-dev fonts-dejavu-core)
test_packages=(doctest-dev python3 curl valgrind)

# install_missing PACKAGE...
install_missing() {
    local missing=() package log
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "${#missing[@]} packages are missing, and there is no sudo to install them with; as root:" >&2
            echo "apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing ${#missing[@]} packages: ${missing[*]}"
    log=$(mktemp)
    # --no-remove: another version of a library that is in use here must not vanish for ours.
    if ! { "${as_root[@]}" apt-get update &&
           "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove "${missing[@]}"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "the packages above could not be installed (whole log: $log)" >&2
        return 1
    fi
    rm -f "$log"
}

# build PRESET [TARGET...]: configures and builds; prints the log only when that fails.
build() {
    local preset=$1 log
    shift
    log=$(mktemp)
    echo "building (preset $preset) ..."
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}; } >"$log" 2>&1; then
        grep -nE 'error|Error|FAILED' "$log" | head -n 20 >&2
        echo "the build failed (whole log: $log)" >&2
        return 1
    fi
    rm -f "$log"
}
