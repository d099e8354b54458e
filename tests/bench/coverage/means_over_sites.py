"""How often the interval of a mean over sites holds the mean, by the method of `synthesis::mean_over_sites` and by plain
quantiles of the same draws. Needs NumPy and SciPy; prints the rows of deploy/docs/statistics.md, in percent."""

import numpy as np
from scipy.stats import norm, t

ROUNDS, DRAWS, LEVEL = 1_500, 20_000, 0.95
KINDS = {
    "normal": (lambda rng, k: rng.normal(0.7, 0.1, k), 0.7),
    "beta(8, 2)": (lambda rng, k: rng.beta(8, 2, k), 0.8),
    "beta(2, 1/2)": (lambda rng, k: rng.beta(2, 0.5, k), 0.8),
}


def limits(means, tail):
    """The (DRAWS + 1) tail-th mean from either end, straight between two."""
    place = (DRAWS + 1) * tail
    whole = int(place)
    share = place - whole
    low = means[whole - 1] + share * (means[whole] - means[whole - 1])
    high = means[-whole] - share * (means[-whole] - means[-whole - 1])
    return low, high


rng = np.random.default_rng(20261128)
tail = (1 - LEVEL) / 2
for k in (5, 7, 10, 20, 30):
    widened = norm.cdf(-np.sqrt(k / (k - 1)) * t.ppf(1 - tail, k - 1))
    row = []
    for draw, mean in KINDS.values():
        held = np.zeros(2, int)
        for _ in range(ROUNDS):
            sites = draw(rng, k)
            means = np.sort(sites[rng.integers(0, k, (DRAWS, k))].mean(axis=1))
            for way, of in enumerate((widened, tail)):
                low, high = limits(means, of)
                held[way] += low <= mean <= high
        row.append([f"{100 * h / ROUNDS:.1f}" for h in held])
    print(k, *(f"{name}: {new} (plain {old})" for name, (new, old) in zip(KINDS, row)), flush=True)
