#!/usr/bin/env python3
"""`portrait fit` finds on the CDNOW sample what is published, and `portrait backtest` predicts its 39 weeks to come, as docs/predictions.md
says. Needs the file (deploy/cdnow.sh, so a network once).

  predictions_cdnow.py PORTRAIT
"""
import collections
import csv
import datetime
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
ROOT = pathlib.Path(__file__).parents[2]
PUBLISHED = {  # Fader, Hardie and Lee 2005; Fader and Hardie 2013
    "BG/NBD": {"r": (.2426, .001), "alpha": (4.4135, .001), "a": (.7929, .001), "b": (2.4258, .001),
               "log-likelihood": (-9582.43, .05)},
    "Gamma-Gamma": {"p": (6.249, .001), "q": (3.745, .001), "v": (15.448, .01)},
}


def run(*words):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout


def check_fit(portrait, sample):
    text = run(portrait, "fit", "--events", sample, "--mapping", ROOT / "deploy/examples/cdnow-sample.yaml", "--until", "1997-09-30")
    print(text)
    assert "2357 customers, 946 of them with repeats" in text
    for model, numbers in PUBLISHED.items():
        line = re.search(rf"^{model} .*$", text, re.MULTILINE).group()
        for name, (want, within) in numbers.items():
            got = float(re.search(rf" {name} (-?[\d.]+)", line).group(1))
            assert abs(got - want) <= within, f"{model} {name}: {got}, published {want}"


def customers_until(sample, until):
    """Days of silence, purchase days and spend of each customer at the end of a day, counted here once more."""
    days, spend = {}, {}
    for line in open(sample):
        customer, _, day, _, amount = line.split()
        if day <= until:
            days.setdefault(customer, set()).add(datetime.datetime.strptime(day, "%Y%m%d"))
            spend[customer] = spend.get(customer, 0) + float(amount)
    end = datetime.datetime.strptime(until, "%Y%m%d")
    return [((end - max(days[customer])).days, len(days[customer]), round(spend[customer], 6)) for customer in days]


def check_fifths(rfm, customers):
    fifth = lambda value, bounds: sum(value > bound for bound in bounds)
    same = 0
    exact = []
    for axis in range(3):
        values = sorted(one[axis] for one in customers)
        exact.append([values[math.ceil(len(values) * part / 5) - 1] for part in range(1, 5)])
    fitted = [rfm["silent_days"], rfm["purchase_days"], rfm["spend"]]
    for one in customers:
        same += all(fifth(one[axis], fitted[axis]) == fifth(one[axis], exact[axis]) for axis in range(3))
    print(f"{same} of {len(customers)} customers in the same fifths as by exact boundaries")
    assert same >= .98 * len(customers)


def squared(one, other):
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


def batch_inertia(points, count, starts):
    """Batch k-means (Lloyd's) from points drawn at random, the best of some starts."""
    draws, best = random.Random(1), math.inf
    points = list(collections.Counter(points).items())  # many customers are alike
    for _ in range(starts):
        centres, before, now = [point for point, _ in draws.sample(points, count)], math.inf, 9e99
        while now < before * (1 - 1e-6):
            before, now, sums = now, 0, [[0, 0, 0, 0] for _ in centres]
            for point, times in points:
                distances = [squared(point, centre) for centre in centres]
                nearest = distances.index(min(distances))
                now += times * distances[nearest]
                sums[nearest] = [was + times * more for was, more in zip(sums[nearest], (*point, 1))]
            centres = [tuple(part / one[3] for part in one[:3]) if one[3] else was for one, was in zip(sums, centres)]
        best = min(best, now)
    return best


def check_clusters(clusters, customers):
    scales = [clusters[axis] for axis in ("recency", "frequency", "monetary")]
    points = [tuple((logarithm - scale["mean"]) / scale["spread"] for logarithm, scale in
                    zip((math.log1p(silent), math.log(days), math.log1p(spend)), scales)) for silent, days, spend in customers]
    centres = [(one["recency"], one["frequency"], one["monetary"]) for one in clusters["clusters"]]
    assert len(centres) == 5 and abs(sum(one["share"] for one in clusters["clusters"]) - 1) < 1e-9
    ratio = sum(min(squared(point, centre) for centre in centres) for point in points) / batch_inertia(points, 5, 10)
    print(f"inertia of the clusters: {ratio:.5f} of that of batch k-means, the best of 10 starts")
    assert ratio <= 1.01


def check_models(portrait, sample):
    """The file of models: what is shown is what was printed, and a changed file is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "models.json"
        text = run(portrait, "fit", "--events", sample, "--mapping", ROOT / "deploy/examples/cdnow-sample.yaml", "--until", "1997-09-30",
                   "--out", path)
        shown = run(portrait, "models", "show", path)
        print(shown)
        assert text.endswith(shown)
        models = json.loads(path.read_text())
        assert models["source"]["customers"] == 2357 and models["source"]["files"] == ["CDNOW_sample.txt"]
        assert abs(models["mbg_nbd"]["log_likelihood"] + 14363.24) < .05
        judged = [one for one in models["card"]["judged"] if one["customers_who"] == "all"]
        assert {one["model"] for one in judged} == {"mbg_nbd", "pareto_nbd"}
        for one in judged:  # this is what the two reach on it; far from chance
            assert one["customers"] == 2357 and one["auc"] > .73 and one["brier"] < .125 and one["calibration_error"] < .05
            assert abs(one["spend_bias"]) < .15 and sum(group["customers"] for group in one["groups"]) == 2357
        customers = customers_until(sample, "19970930")
        check_fifths(models["rfm"], customers)
        check_clusters(models["clusters"], customers)
        again = pathlib.Path(folder) / "again.json"
        run(portrait, "fit", "--events", sample, "--mapping", ROOT / "deploy/examples/cdnow-sample.yaml", "--until", "1997-09-30",
            "--out", again)
        assert again.read_bytes() == path.read_bytes(), "the same orders gave another file"
        config = pathlib.Path(folder) / "portrait.yaml"
        config.write_text("models: {file: models.json}")
        checked = run(portrait, "check", config)
        assert "models.file: models.json  # set" in checked and "The configuration is good" in checked, checked
        path.write_text(path.read_text().replace('"p": 6.', '"p": 7.'))
        refused = subprocess.run([portrait, "check", config], capture_output=True, text=True, check=False)
        assert refused.returncode == 2 and f"models.file: {path}: checksum: " in refused.stderr, refused.stderr
        refused = subprocess.run([portrait, "models", "show", path], capture_output=True, text=True, check=False)
        assert refused.returncode == 2 and f"{path}: checksum: the file was changed or damaged" in refused.stderr, refused.stderr


def check_backtest(portrait, sample):
    with tempfile.TemporaryDirectory() as folder:
        print(run(portrait, "backtest", "--events", sample, "--mapping", ROOT / "deploy/examples/cdnow-sample.yaml", "--origins",
                  "1997-10-01", "--horizon", "273d", "--out", folder))
        rows = list(csv.DictReader(open(f"{folder}/churn.csv")))
        assert len({row["customer"] for row in rows}) == len(rows) == 2357
        assert all(0 < float(row["score"]) < 1 and float(row["value"]) >= 0 and float(row["n"]) > 0 for row in rows)
        later = set()
        for line in open(sample):
            customer, _, day, *_ = line.split()
            if day >= "19971001":
                later.add(customer)
        ordered = [float(row["score"]) for row in rows if row["customer"] in later]
        silent = [float(row["score"]) for row in rows if row["customer"] not in later]
        print(f"mean probability of no order: {sum(silent) / len(silent):.3f} who did not, {sum(ordered) / len(ordered):.3f} who did")
        assert sum(silent) / len(silent) > sum(ordered) / len(ordered) + .2
        pauses = list(csv.DictReader(open(f"{folder}/nextbuy.csv")))
        assert len(pauses) > 500
        assert len({(row["customer"], row["date"]) for row in pauses}) == len(pauses)
        assert all(math.isfinite(float(row["score"])) and row["date"] >= "1997-10-01" for row in pauses)


def main():
    portrait = sys.argv[1]
    fetched = subprocess.run([ROOT / "deploy/cdnow.sh", "sample"], capture_output=True, text=True, check=False)
    if fetched.returncode != 0:
        print("skipped: the file cannot be fetched:", fetched.stderr.strip().splitlines()[-1:])
        return SKIPPED
    check_fit(portrait, fetched.stdout.strip())
    check_models(portrait, fetched.stdout.strip())
    check_backtest(portrait, fetched.stdout.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
