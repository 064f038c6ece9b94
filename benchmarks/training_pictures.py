"""Picture of docs/training.rst: the loss of an autoencoder after each epoch, for the best setting of each method."""

from statistics import mean

from matplotlib.figure import Figure
from training_tables import TARGET, curves

SHOWN = 50


def draw() -> Figure:
    """A line for the mean over the seeds, a band between the lowest and the highest; the goal is Adam's last loss."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    found = curves()
    for method, losses in found.items():
        columns = list(zip(*losses, strict=True))[: SHOWN + 1]
        epochs = range(len(columns))
        (line,) = axes.plot(epochs, [mean(column) for column in columns], label=method)
        axes.fill_between(
            epochs, *zip(*((min(c), max(c)) for c in columns), strict=True), color=line.get_color(), alpha=0.2
        )
    goal = mean(losses[-1] for losses in found["Adam"])
    axes.axhline(goal, color="grey", linestyle=":", label="Adam after 50 epochs")
    axes.axvline(SHOWN / 3, color="grey", linewidth=0.5)
    axes.set(xlabel="epochs", ylabel="loss on all digits", ylim=(0.92 * goal, 1.25 * goal), xlim=(0, SHOWN))
    axes.legend()
    return figure


def main() -> None:
    """Draw it."""
    TARGET.mkdir(exist_ok=True)
    draw().savefig(TARGET / "curves.png", dpi=80, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
