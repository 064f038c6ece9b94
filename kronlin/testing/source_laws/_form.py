"""The laws of what a source returns and of what it leaves alone. The docstring of a law is read when it breaks."""

import numpy as np

from kronlin.arrays import kind
from kronlin.sources._source import FISHERS, checked_collected
from kronlin.testing._case import wide
from kronlin.testing.source_laws._labels import weighted_labels
from kronlin.testing.source_laws._trial import Trial


def form(trial: Trial) -> None:
    """A source returns (layers, gradient, loss) that belong together, of n examples and p parameters."""
    shapes = []
    for fisher in FISHERS:
        layers, gradient, _ = checked_collected(*trial.collected(fisher))
        n, p, K = layers[0].n, len(trial.theta), layers[0].K
        trial.expect(n == trial.n, f"the layers have {n} examples, x has {trial.n}")
        trial.expect(
            gradient.shape[0] == p, f"the layers have {gradient.shape[0]} parameters, the vector of them has {p}"
        )
        trial.expect(kind(gradient) == trial.kind, f"the gradient is {kind(gradient)}, the parameters are {trial.kind}")
        trial.expect(fisher != "empirical" or K == 1, f"the empirical Fisher matrix has K = {K} columns, not one")
        shapes.append([(layer.name, layer.d_out, layer.d_in) for layer in layers])
        trial.expect(shapes[-1] == shapes[0], f"the layers are {shapes[0]} for {FISHERS[0]}, {shapes[-1]} for {fisher}")


def refusal(trial: Trial) -> None:
    """Columns of an unknown name are refused by a ValueError that says the name."""
    name = "no such columns"
    try:
        trial.collected(name)  # type: ignore[arg-type]
    except ValueError as error:
        trial.expect(name in str(error), f"the error for fisher={name!r} says {str(error)!r}")
    else:
        trial.expect(False, f"fisher={name!r} is taken")


def untouched(trial: Trial) -> None:
    """A source leaves the parameters, x, y and the model as they were."""
    model, data = trial.model(trial.parameters), (trial.parameters, trial.x, trial.y)
    before = [wide(array) for array in (*data, trial.call(model, trial.x))]
    for fisher in FISHERS:
        trial.collect(model, trial.loss, trial.x, trial.y, fisher=fisher, seed=0)
        after = [wide(array) for array in (*data, trial.call(model, trial.x))]
        for what, one, two in zip(("θ", "x", "y", "the output of the model"), after, before, strict=True):
            trial.expect_close(f"{what} after {fisher}", one, two)


def repeatability(trial: Trial) -> None:
    """Two calls with the same arguments and seed return the same."""
    for fisher in FISHERS:
        one, two = trial.collected(fisher), trial.collected(fisher)
        trial.expect_close(f"the loss, again, for {fisher}", two[2], one[2])
        for what, first, second in (
            ("the gradient", [one[1]], [two[1]]),
            ("inputs", [layer.inputs for layer in one[0]], [layer.inputs for layer in two[0]]),
            ("output_gradients", *([layer.output_gradients for layer in layers] for layers in (one[0], two[0]))),
        ):
            for a, b in zip(first, second, strict=True):
                trial.expect_close(f"{what}, again, for {fisher}", wide(b), wide(a))


def independence_of_the_labels(trial: Trial) -> None:
    """The given labels do not enter the columns of type 2, nor the sampled ones."""
    weighted = weighted_labels(trial.head, trial.outputs())
    if weighted is None:
        return
    others = [trial.labels(weighted[place][1]) for place in (0, -1)]
    for fisher in FISHERS[:2]:
        first, second = (trial.columns(fisher, y=y) for y in others)
        trial.expect_close(f"the columns of {fisher} for other labels", second, first)


def single_examples(trial: Trial) -> None:
    """An example has the columns that it has among others, and the loss of all is the mean of theirs."""
    alone = [trial.example(i) for i in range(trial.n)]
    losses = np.asarray([trial.collected(**data)[2] for data in alone])
    trial.expect_close("the loss", trial.at_start[2], losses.mean(), size=float(np.abs(losses).max()))
    for fisher in (FISHERS[0], FISHERS[2]):
        whole = trial.grams(fisher)
        for i, data in enumerate(alone):
            what = f"Uᵀ v of example {i} alone, for {fisher}, its products"
            trial.expect_close(what, trial.grams(fisher, **data)[0], whole[i], size=float(np.abs(whole).max()))
