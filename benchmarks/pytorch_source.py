"""Question: what does `collect` of the PyTorch source cost, beside a forward and a backward pass of the same net."""

import time

import torch
from harness import report, rows_by, sampled
from torch import nn

from kronlin.sources import pytorch

WIDTHS = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
BATCH = 512
PLAIN = "forward and backward"


def autoencoder() -> nn.Module:
    """The net of the digits, with random weights."""
    torch.manual_seed(0)
    layers = [
        layer for d_in, d_out in zip(WIDTHS, WIDTHS[1:], strict=False) for layer in (nn.Linear(d_in, d_out), nn.ReLU())
    ]
    return nn.Sequential(*layers[:-1])


def main() -> None:
    """Measure in turn, in the time of one thread: other programs on the machine then matter little."""
    torch.set_num_threads(1)
    model, loss, x = autoencoder(), nn.BCEWithLogitsLoss(), torch.rand(BATCH, WIDTHS[0])

    def plain() -> None:
        model.zero_grad()
        loss(model(x), x).backward()

    functions = {PLAIN: plain}
    for fisher in ("empirical", "mc"):
        for check in (True, False):
            name = f"collect, {fisher}" + ("" if check else ", check=False")
            functions[name] = lambda f=fisher, c=check: pytorch.collect(model, loss, x, x, fisher=f, check=c)
    report("pytorch_source", rows_by(sampled(functions, clock=time.process_time), PLAIN))


if __name__ == "__main__":
    main()
