"""Draws the results as an SVG for docs/benchmarks.md."""
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402  (the back end is chosen first)

COLOURS = {"portrait": "#1f77b4", "portrait-full": "#6baed6", "kafka-streams": "#d62728", "bare-client": "#7f7f7f"}


def draw(path, summaries, variants, machine, events):
    """One group of bars for each variant, a bar for each contender: events per CPU-second, of the warm half."""
    matplotlib.rcParams.update({"svg.hashsalt": "portrait", "svg.fonttype": "none", "font.family": "sans-serif",
                                "font.size": 10})
    bars = [(variant, contender, rates["warm_events_per_cpu_s"]) for variant, summary in summaries.items()
            for contender, rates in summary.items()]
    figure, axes = pyplot.subplots(figsize=(9, 1.4 + 0.38 * len(bars) + 0.3 * len(summaries)))
    y, longest = 0.0, max(rate["high"] for _, _, rate in bars)
    previous = None
    for variant, contender, rate in bars:
        if variant != previous:
            y -= 0.5 if previous is None else 1.1
            axes.text(0, y, f"{variant}: {variants[variant].about}", va="center", fontweight="bold")
            y -= 0.9
        previous = variant
        median = rate["median"]
        axes.barh(y, median, height=0.7, color=COLOURS.get(contender, "#2ca02c"),
                  xerr=[[median - rate["low"]], [rate["high"] - median]], ecolor="#333333", capsize=2)
        axes.text(-0.01 * longest, y, contender, va="center", ha="right")
        axes.text(max(rate["high"], median) + 0.01 * longest, y, f"{median / 1000:,.0f} k", va="center")
        y -= 0.9
    axes.set_xlim(0, 1.12 * longest)
    axes.set_ylim(y, 0.3)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:.0f} k")
    axes.set_xlabel(f"events per CPU-second of the contender's process (second half of {events:,} events)\n"
                    f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; the broker on the same machine")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
