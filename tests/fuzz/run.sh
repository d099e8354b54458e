#!/usr/bin/env bash
# Lets libFuzzer look for bytes that an entry of the statistics engine, or a reader of files, does not stand.
# Usage: tests/fuzz/run.sh ENTRY [SECONDS]      one entry, such as auroc::delong
#        tests/fuzz/run.sh all [SECONDS]        every entry for so long
# Needs a C++ compiler. What it finds lies in target/fuzz/ENTRY and fails again with every run.
set -euo pipefail
cd "$(dirname "$0")/../.."
entry=${1:?name an entry, or all}
seconds=${2:-60}

all=$(grep -rhoE 'entry: "[^"]+"' tests/fuzz/src/targets | cut -d'"' -f2)
if [ "$entry" = all ]; then
    entries=$all
elif grep -qxF "$entry" <<<"$all"; then
    entries=$entry
else
    printf 'There is no entry `%s`. Name one of these, or all:\n%s\n' "$entry" "$all" >&2
    exit 2
fi

# The instrumentation that libFuzzer follows; the compiler needs no nightly features for it.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=yes -Coverflow-checks=yes"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --quiet --release --target "$host" --target-dir target/fuzz-build -p fedval-fuzz --features libfuzzer --bin libfuzzer
program=target/fuzz-build/$host/release/libfuzzer

for entry in $entries; do
    folder=target/fuzz/${entry//::/-}
    mkdir -p "$folder"
    echo "$entry"
    log=$folder.log
    # What was found before lies in the folder and is tried first: mended, it passes like any other input.
    if ! FUZZ_ENTRY=$entry "$program" -max_total_time="$seconds" -max_len=1024 -timeout=20 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$folder/" "$folder" >"$log" 2>&1; then
        failed=1
        tail -n 20 "$log"
        echo "$entry fails; the input is named above, all that was said is in $log" >&2
    fi
    sed -n 's/^stat::number_of_executed_units: */  inputs: /p' "$log"
done
exit "${failed:-0}"
