#!/usr/bin/env bash
# Installs what the checks need and runs them all, as CI does. Usage: tests/run.sh [nextest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# A clean checkout is built once: what incremental builds keep beside it would only fill the disk.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0

need_packages() {
    local missing=()
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    command -v make >/dev/null || missing+=(make)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
    for tool in strace faketime systemd-analyze; do command -v "$tool" >/dev/null || missing+=("${tool%-analyze}"); done
    command -v chromium >/dev/null || missing+=(chromium)
    command -v chromedriver >/dev/null || missing+=(chromium-driver)
    command -v curl >/dev/null || missing+=(curl ca-certificates)
    command -v unzip >/dev/null || missing+=(unzip)
    command -v pdftotext >/dev/null || missing+=(poppler-utils)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    # Python as a library, for programs of others that have it inside.
    python3 -c 'import ctypes, sysconfig; ctypes.CDLL(sysconfig.get_config_var("INSTSONAME"))' 2>/dev/null ||
        missing+=(libpython3-dev)
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"
}

# A PACS. The tests start it themselves; what Debian recommends beside it are other programs.
need_orthanc() {
    [ -x /usr/sbin/Orthanc ] && [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] && return
    say "installing orthanc"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends orthanc orthanc-dicomweb
}

# One tool from the Rust registry, unless it is there. It runs for seconds: optimising it would take minutes.
# What the tools have in common is compiled once.
need_tool() {
    command -v "$1" >/dev/null && return
    say "installing $1"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --locked --target-dir target/tools "$1"
}

# The checker of accessibility that runs inside the browser: from its registry, known by its digest.
need_axe() {
    local folder=target/tests file=axe-core-4.14.1.tgz
    [ -s "$folder/axe.min.js" ] && return
    say "fetching axe-core"
    mkdir -p "$folder"
    curl -fsSL --retry 3 -o "$folder/$file" "https://registry.npmjs.org/axe-core/-/$file"
    echo "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5  $folder/$file" | sha512sum --check --quiet
    tar -xzf "$folder/$file" -C "$folder" --strip-components=1 package/axe.min.js
}

# pydicom's own test files, which are not ours to keep: from its registry, known by their digest.
need_pydicom() {
    local folder=target/tests file=pydicom-3.0.2-py3-none-any.whl
    local digest=abf971a5440f84dbaf42c4b6758e30e62480902584f8b270b9a5d146e278a07b
    [ -d "$folder/pydicom/data/test_files" ] && return
    say "fetching pydicom's test files"
    mkdir -p "$folder"
    curl -fsSL --retry 3 -o "$folder/$file" \
        "https://files.pythonhosted.org/packages/46/e0/60466c6d712dad2cf807df315e39863e91609ffd1064ecb835994460bbda/$file"
    echo "$digest  $folder/$file" | sha256sum --check --quiet
    unzip -q -o "$folder/$file" 'pydicom/data/test_files/*' -d "$folder"
}

# ONNX Runtime, and three servers that speak the Open Inference Protocol with it inside: programs of others that
# the agent works with, in the versions that were looked at. The first test that starts one compiles it.
need_engines() {
    local folder=target/tests library name
    for name in engines kserve triton; do
        cmp -s "tests/$name.txt" "$folder/$name/installed" && continue
        say "installing what tests/$name.txt lists"
        python3 -m venv --clear "$folder/$name"
        "$folder/$name/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps -r "tests/$name.txt"
        cp "tests/$name.txt" "$folder/$name/installed"
    done
    library=$(find "$PWD/$folder/engines/lib" -name 'libonnxruntime.so.*' | head -1)
    export FEDVAL_ONNX_RUNTIME="$library" FEDVAL_MLSERVER="$PWD/$folder/engines/bin/mlserver"
    # KServe has no program: its server is a library that a site's own code starts.
    export FEDVAL_KSERVE="$PWD/$folder/kserve/bin/python"
    need_triton "$PWD/$folder/triton"
    export FEDVAL_TRITON="$PWD/$folder/triton/bin/triton"
    # Their builds report to their makers unless they are told not to.
    export ORT_DISABLE_TELEMETRY=1
}

# Triton's program lies in a wheel, beside a part of it for each Python that models may be written for: here that of its
# own environment, which it finds by the path.
need_triton() {
    local version libraries server
    [ -x "$1/bin/triton" ] && return
    version=$("$1/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    libraries=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
    server="$1/lib/python$version/site-packages/pytriton/tritonserver"
    install -m 755 "$server/python_backend_stubs/$version/triton_python_backend_stub" "$server/backends/python/"
    chmod +x "$server/bin/tritonserver"
    printf '#!/bin/sh\nexport PATH="%s:$PATH" LD_LIBRARY_PATH="%s"\nexec "%s" --backend-directory="%s" "$@"\n' \
        "$1/bin" "$libraries" "$server/bin/tritonserver" "$server/backends" >"$1/bin/triton"
    chmod +x "$1/bin/triton"
}

# A full disk fails in a hundred ways, none of which says so.
need_disk() {
    local free
    free=$(df --output=avail --block-size=1G . | tail -1 | tr -d ' ')
    [ "$free" -ge "$1" ] && return
    echo "only $free GiB are free here, and building and testing from nothing takes $1: remove old files in target/" >&2
    exit 1
}

[ -d target/debug/deps ] || need_disk 20
need_packages
need_orthanc
need_axe
need_pydicom
need_engines
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done
need_tool cargo-nextest
need_tool cargo-deny
need_tool cargo-audit
rm -rf target/tools

say "format"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets -- -D warnings

say "licences, bans, sources"
cargo deny --all-features --log-level error check bans licenses sources

say "advisories"
if [ -d ../shared/advisory-db ]; then
    cargo audit --no-fetch --db ../shared/advisory-db
else
    cargo audit
fi

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# With the tests, which ask more of some crates: everything is compiled once.
say "build"
cargo build --workspace --bins --tests

say "documentation tests"
cargo test --workspace --doc --quiet

# One seed, so that a red run is red again; `PROPTEST_RNG_SEED=$RANDOM tests/run.sh` looks elsewhere.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-20261123}"

say "tests"
cargo nextest run --workspace --no-fail-fast "$@"

say "disk: $(du -sh target | cut -f1) in target, $(df -h --output=avail . | tail -1 | tr -d ' ') free"
