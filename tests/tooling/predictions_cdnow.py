#!/usr/bin/env python3
"""`portrait fit` finds on the CDNOW sample what is published, and `portrait backtest` predicts its 39 weeks to come, as docs/predictions.md
says. Needs the file (deploy/cdnow.sh, so a network once).

  predictions_cdnow.py PORTRAIT
"""
import csv
import json
import math
import pathlib
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
