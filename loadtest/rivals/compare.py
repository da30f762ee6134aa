"""Prints how OmenDB and hnswlib compare, from the JSON files that run.sh leaves. Medians over the rounds.

compare.py DIRECTORY ROUNDS
"""

import json
import math
import sys
from statistics import median

RECALLS = (0.90, 0.95, 0.99)


def qps_at(curve, recall):
    """QPS where a curve reaches a recall, between its points on a logarithmic scale; None if it does not."""
    points = sorted((row["recall_at_10"], row["qps"]) for row in curve)
    # A point that another beats in both is no one's choice.
    best = [p for p in points if not any(q[0] >= p[0] and q[1] > p[1] for q in points)]
    if not best or recall > best[-1][0]:
        return None
    if recall <= best[0][0]:
        return best[0][1]
    for (low, fast), (high, slow) in zip(best, best[1:]):
        if low <= recall <= high:
            share = (recall - low) / (high - low) if high > low else 0
            return math.exp(math.log(fast) + share * (math.log(slow) - math.log(fast)))
    return None


def figures(directory, name, rounds):
    runs = [json.load(open(f"{directory}/{name}-{i}.json")) for i in range(1, rounds + 1)]
    rows = {"build, vectors/s": median(run["vectors_per_second"] for run in runs)}
    for recall in RECALLS:
        reached = [qps_at(run["curve"], recall) for run in runs]
        rows[f"search/s at recall {recall:.2f}"] = median(reached) if None not in reached else None
    rows["bytes a vector"] = median(run["bytes_per_vector"] for run in runs)
    return rows


def show(value):
    return "-" if value is None else f"{value:,.0f}"


directory, rounds = sys.argv[1], int(sys.argv[2])
ours = figures(directory, "omendb", rounds)
theirs = figures(directory, "hnswlib", rounds)
print(f"{'':28}{'OmenDB':>12}{'hnswlib':>12}{'ratio':>8}")
for name, value in ours.items():
    other = theirs[name]
    ratio = f"{value / other:.2f}" if value and other else "-"
    print(f"{name:28}{show(value):>12}{show(other):>12}{ratio:>8}")
