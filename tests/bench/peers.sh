#!/usr/bin/env bash
# Runs the same round on the peers and on fedval, taking turns within the same minutes, and prints ratios.
# Usage: tests/bench/peers.sh [small|large|all] [turns]
#   small: 8 sites × 1 MiB on NVIDIA FLARE and Flower; large: 32 sites × 100 MiB on NVIDIA FLARE.
# Needs ../shared/bench beside the repository, Python 3.11, and for `large` 8 GiB of memory and 10 GiB of disk.
# PEERS_VENV and PEERS_WORK name other places for the installed peers and their files.
set -euo pipefail
cd "$(dirname "$0")/../.."

which=${1:-all}
turns=${2:-3}
scripts=$(realpath ../shared/bench)
export PEERS_VENV=${PEERS_VENV:-${TMPDIR:-/tmp}/fedval-peers-venv}
export PEERS_WORK=${PEERS_WORK:-${TMPDIR:-/tmp}/fedval-peers-work}
mkdir -p "$PEERS_WORK"
lines=$PEERS_WORK/lines.jsonl
: >"$lines"

if [ ! -x "$PEERS_VENV/bin/nvflare" ]; then
    python3 -m venv "$PEERS_VENV"
    "$PEERS_VENV/bin/pip" install --quiet 'flwr==1.41.0' 'nvflare==2.9.0' numpy psutil
fi
cargo build --release --bins -p fedval -p fedval-agent -p fedval-bench -p fedval-bench-images

# A peer that gives no figure is said aloud and does not end the comparison.
peer() {
    timeout 580 "$PEERS_VENV/bin/python" "$scripts/$1" "$2" "$3" 1 | tee /dev/stderr | grep '^{' >>"$lines" \
        || echo "no figure from $1 with $2 sites and $3 MiB" >&2
}

# A few cases at every site: the peers' sites run none.
ours() {
    target/release/round --sites "$1" --mib "$2" --cases 4 --repeat 1 | tee /dev/stderr | grep '^{' >>"$lines"
}

for _ in $(seq "$turns"); do
    if [ "$which" != large ]; then
        ours 8 1
        peer run_nvflare.py 8 1
        ours 8 1
        peer run_flower.py 8 1
    fi
    if [ "$which" != small ]; then
        ours 32 100
        peer run_nvflare.py 32 100
    fi
done

"$PEERS_VENV/bin/python" - "$lines" <<'PYTHON'
import json, statistics, sys
runs = {}
for line in open(sys.argv[1]):
    run = json.loads(line)
    if run["sites"] == run["n"]:
        runs.setdefault((run["n"], run["mb"], run["sys"]), []).append(run)
middle = lambda runs, key: statistics.median(run[key] for run in runs)
print(f"\n{'sites':>5} {'MiB':>4} {'system':<8} {'runs':>4} {'median s':>9} {'ratio':>6} {'server MiB':>11} {'ratio':>6}")
for (n, mb, system), found in sorted(runs.items()):
    ours = runs.get((n, mb, "fedval"))
    seconds, server = middle(found, "submit_to_result_s"), middle(found, "peak_server_mb")
    if ours:
        by_time = seconds / middle(ours, "submit_to_result_s")
        by_memory = server / middle(ours, "peak_server_mb")
        ratios = f"{by_time:>6.1f} {server:>11.0f} {by_memory:>6.1f}"
    else:
        ratios = f"{'–':>6} {server:>11.0f} {'–':>6}"
    print(f"{n:>5} {mb:>4} {system:<8} {len(found):>4} {seconds:>9.2f} {ratios}")
PYTHON
