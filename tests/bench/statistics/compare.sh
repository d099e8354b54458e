#!/usr/bin/env bash
# Times the engine and its references in alternation, and prints how many times faster the engine is.
# Usage: tests/bench/statistics/compare.sh [turns]
# Needs R with pROC and metafor, and Python with NumPy and surface-distance (PYTHON names another one).
set -euo pipefail
cd "$(dirname "$0")/../../.."

turns=${1:-3}
python=${PYTHON:-python3}
here=tests/bench/statistics
cargo build --quiet --release -p fedval-bench-statistics
ours=target/release/fedval-bench-statistics

# Seconds that a command's line of JSON says.
seconds() {
    "$@" | sed -n 's/.*"seconds": *\([0-9.e-]*\).*/\1/p'
}

median() {
    sort -g | awk '{ values[NR] = $1 } END { print values[int((NR + 1) / 2)] }'
}

# A name, our command and the reference's, each split at spaces.
beside() {
    local mine=() theirs=()
    for _ in $(seq "$turns"); do
        mine+=("$(seconds $2)")
        theirs+=("$(seconds $3)")
    done
    local a b
    a=$(printf '%s\n' "${mine[@]}" | median)
    b=$(printf '%s\n' "${theirs[@]}" | median)
    printf '%-34s %12.6f s %12.6f s %8.1f times\n' "$1" "$a" "$b" "$(awk "BEGIN { print $b / $a }")"
}

printf '%-34s %14s %14s\n' '' engine reference
beside 'AUROC, 10^6, NumPy' "$ours auroc 1000000" "$python $here/references.py auroc 1000000"
beside 'AUROC, 10^5, pROC' "$ours auroc 100000" "Rscript $here/references.R auroc 100000"
beside 'Dice, HD95, NSD, surface-distance' "$ours --repeat 5 masks" "$python $here/references.py masks"
beside 'REML, Hartung-Knapp, 50, metafor' "$ours synthesis 50" "Rscript $here/references.R synthesis 50"
"$ours" --repeat 1 auroc 10000000
