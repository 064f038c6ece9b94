"""Question: which coarse spaces help, on top of K-FAC and without it, and what do they cost."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import sqrt
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from harness import RESULTS, interleaved, machine
from sklearn.datasets import load_digits

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect
from kronlin.twolevel import Galerkin, TwoLevel, galerkin_step


class Net(NamedTuple):
    """A net, how long it is trained, and how many examples its Fisher matrix is made of."""

    widths: tuple[int, ...]
    activation: str
    loss: str
    steps: int
    n: int


NETS = {
    "small classifier": Net((64, 12, 10), "tanh", "softmax", 30, 256),
    "classifier, 0 steps": Net((64, 32, 32, 10), "tanh", "softmax", 0, 256),
    "classifier, 30 steps": Net((64, 32, 32, 10), "tanh", "softmax", 30, 256),
    "classifier, 300 steps": Net((64, 32, 32, 10), "tanh", "softmax", 300, 256),
    "autoencoder": Net((64, 30, 12, 30, 64), "tanh", "bernoulli", 100, 128),
    "16 linear layers": Net((64, *[14] * 15, 10), "identity", "mse", 100, 128),
}
DAMPINGS = (3e-2, 3e-3, 3e-4)
"""λ / λ_max(F), so that the condition number of A = F + λ I for a singular F is 34, 334 and 3334."""
RTOL = 1e-8


@dataclass(eq=False)
class System:
    """(F + λ I) x = gradient of one net at one damping, and all that coarse spaces are made of."""

    layers: tuple[kl.LayerStatistics, ...]
    empirical: tuple[kl.LayerStatistics, ...]
    labels: np.ndarray
    b: np.ndarray
    lam: float

    @cached_property
    def A(self) -> kl.Operator:
        """F + λ I."""
        return kl.fisher(self.layers).damped(self.lam)

    @cached_property
    def K(self) -> kl.BlockDiagonal:
        """K-FAC's approximation of F, without damping."""
        return kl.kfac(self.layers)

    @cached_property
    def blocks(self) -> kl.BlockDiagonal:
        """The exact diagonal blocks of A."""
        return kl.block_diagonal_fisher(self.layers).damped(self.lam)

    @cached_property
    def M(self) -> kl.Operator:
        """The inverse of K-FAC, damped as A is."""
        return self.K.damped(self.lam).inverse()

    @cached_property
    def solution(self) -> np.ndarray:
        """A⁻¹ b, to a residual far below every error in the tables."""
        return kl.deflated_cg(self.A, self.b, kl.coarse.spectral(self.K, 20, "largest"), rtol=1e-12).x

    def errors(self, x: np.ndarray) -> tuple[float, float]:
        """The error of x in the A-norm relative to the solution, as it is and with the best factor before x."""
        exact, difference, Ax = self.solution, x - self.solution, self.A @ x
        size, length, overlap = exact @ self.b, x @ Ax, x @ self.b
        scaled = sqrt(max(1 - overlap**2 / (length * size), 0.0)) if length else 1.0
        return sqrt(max(difference @ (Ax - self.b), 0.0) / size), scaled


Space = Callable[[System], kl.Operator]


def spectral(which: str, k: int) -> Space:
    """Eigenvectors of K-FAC's blocks."""
    return lambda system: kl.coarse.spectral(system.K, k, which)


def krylov_of_residual(system: System) -> kl.Operator:
    """Powers of K-FAC's inverse on the residual of its step, block by block."""
    step = system.M @ system.b
    return kl.coarse.krylov(system.K, system.M, system.M @ (system.b - system.A @ step), depth=5)


SPACES: dict[str, Space] = {
    "constants": lambda system: kl.coarse.nicolaides(system.K),
    "rows": lambda system: kl.coarse.aggregation(system.K, "rows"),
    "columns": lambda system: kl.coarse.aggregation(system.K, "columns"),
    "random 1": lambda system: kl.coarse.random(system.K, 1),
    "random 20": lambda system: kl.coarse.random(system.K, 20),
    **{f"smallest {k}": spectral("smallest", k) for k in (1, 5, 20)},
    **{f"smallest-nonzero {k}": spectral("smallest-nonzero", k) for k in (1, 20)},
    "residual": lambda system: kl.coarse.residual(system.K, system.A, system.M, system.b),
    "krylov, constants": lambda system: kl.coarse.krylov(system.K, system.M, depth=5),
    "krylov, residual": krylov_of_residual,
    "gradients": lambda system: kl.coarse.gradients(system.empirical, system.labels),
    "mismatch 20": lambda system: kl.coarse.mismatch(system.blocks, system.M, 20),
    **{f"largest {k}": spectral("largest", k) for k in (1, 5, 10, 20, 40)},
    "ritz of A, 20": lambda system: kl.coarse.ritz(system.A, 20, which="largest"),
    "ritz of A, 60": lambda system: kl.coarse.ritz(system.A, 60, which="largest"),
    "ritz of MA, 20 smallest": lambda system: kl.coarse.ritz(system.A, 20, system.M, "smallest"),
}
"""Each is made from K-FAC's blocks, with K-FAC's damped inverse where a preconditioner is asked for."""

FINE: dict[str, Callable[[System], kl.Operator]] = {
    "none": lambda system: kl.Identity(len(system.b), like=system.A),
    "K-FAC": lambda system: system.M,
    "K-FAC, 10 λ": lambda system: system.K.damped(10 * system.lam).inverse(),
    "K-FAC, 100 λ": lambda system: system.K.damped(100 * system.lam).inverse(),
    "exact blocks": lambda system: system.blocks.inverse(),
}
FEW = ("largest 20",)
"""The coarse spaces on the fine levels that are there for comparison only, all but "none" and "K-FAC"."""


def trained(net: Net) -> tuple[System, dict[str, Any]]:
    """The system of a trained net at λ = λ_max(F), and what the table of nets says of it."""
    images, digits = load_digits(return_X_y=True)
    images = images / 16
    targets = {"softmax": digits, "bernoulli": images, "mse": np.eye(10)[digits]}[net.loss]
    model = MLP(net.widths, activation=net.activation).train(net.loss, images, targets, steps=net.steps)
    chosen = np.random.default_rng(0).permutation(len(images))[: net.n]
    layers, gradient, risk = collect(model, net.loss, images[chosen], targets[chosen])
    empirical, _, _ = collect(model, net.loss, images[chosen], targets[chosen], fisher="empirical")
    F = kl.fisher(layers)
    p, mean = F.shape[0], float(F.trace()) / F.shape[0]
    largest = kl.condition_number(F.damped(mean)).largest - mean
    facts = {"p": p, "n": net.n, "columns": net.n * layers[0].K, "risk": risk, "mean": mean, "largest": largest}
    return System(layers, empirical, digits[chosen], gradient, largest), facts


def condition(system: System, M: kl.Operator) -> float:
    """The condition number of M A; the bound of 10% is pessimistic, the value is mostly right to 1%."""
    return kl.condition_number(system.A, M, rtol=0.1).value


def effective_condition(system: System, deflated: TwoLevel) -> float:
    """The condition number of the nonzero spectrum of M P A, on which deflation works.

    It is that of BNN once M is scaled so that the ones of BNN lie inside that spectrum, by a Rayleigh quotient in it.
    """
    A, M, P = system.A, deflated.M, deflated.coarse.P
    r = P @ system.b
    y = M @ r
    quotient = float(y @ (P @ (A @ y))) / float(y @ r)
    return condition(system, kl.two_level(A, M / quotient, deflated.coarse.Z, "BNN"))


def alone(system: System, M: kl.Operator) -> dict[str, Any]:
    """What a self-adjoint preconditioner does."""
    raw, scaled = system.errors(M @ system.b)
    return {
        "iterations": kl.cg(system.A, system.b, M=M, rtol=RTOL).iterations,
        "condition": condition(system, M),
        "error": raw,
        "scaled error": scaled,
    }


def combined(system: System, fine: str, M: kl.Operator, Z: kl.Operator) -> Iterator[dict[str, Any]]:
    """What a coarse space does on a fine level: as deflation, and on K-FAC as AD and BNN.

    The condition number of A-DEF2 is that of BNN on K-FAC, since their spectra are the same, and else the effective
    one.
    """
    A, b = system.A, system.b
    deflated = kl.two_level(A, M, Z, "A-DEF2")
    sizes = {"k": deflated.coarse.k, "dropped": deflated.coarse.dropped}
    schemes = ("AD", "BNN") if fine == "K-FAC" else ()
    operators = {scheme: alone(system, deflated.with_scheme(scheme)) for scheme in schemes}
    spectrum = operators["BNN"]["condition"] if schemes else effective_condition(system, deflated)
    raw, scaled = system.errors(deflated @ b)
    yield {
        **sizes,
        "scheme": "A-DEF2",
        "iterations": kl.deflated_cg(A, b, deflated.coarse, M, rtol=RTOL).iterations,
        "condition": spectrum,
        "error": raw,
        "scaled error": scaled,
        "galerkin error": system.errors(galerkin_step(A, M, deflated.coarse, b))[0],
    }
    for scheme, row in operators.items():
        yield {**sizes, "scheme": scheme, **row}


def measured(name: str, start: System, relative: float) -> list[dict[str, Any]]:
    """All rows of one net at one damping."""
    system = replace(start, lam=relative * start.lam)
    rows, spaces = [], {space: build(system) for space, build in SPACES.items()}
    for fine, build in FINE.items():
        M = build(system)
        rows.append({"fine": fine, **alone(system, M)})
        for space in SPACES if fine in ("none", "K-FAC") else FEW:
            found = combined(system, fine, M, spaces[space])
            rows += [{"fine": fine, "space": space, **row} for row in found]
    return [{"net": name, "damping": relative, **row} for row in rows]


def costs(name: str, start: System) -> list[dict[str, Any]]:
    """Set-up (of Z and E, with K-FAC's inverse at hand), one application, one step of CG, by a product with A.

    Processor time, for one thread: set OPENBLAS_NUM_THREADS=1.
    """
    system, rows = replace(start, lam=DAMPINGS[1] * start.lam), []
    A, b, M = system.A, system.b, system.M.prepare()

    def ten_steps(M: kl.Operator | None) -> Callable[[], object]:
        return partial(kl.cg, A, b, M=M, rtol=0.0, maxiter=10)

    def ratios(functions: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
        seconds = interleaved({"A": partial(A.matvec, b), **functions}, rounds=rounds, budget=0.004, clock=process_time)
        return {name: seconds[name] / seconds["A"] / (10 if name == "step" else 1) for name in functions}

    def fresh_kfac() -> object:
        return kl.kfac(system.layers).damped(system.lam).inverse().prepare()

    rows.append({"fine": "none", **ratios({"step": ten_steps(None)})})
    timed = ratios({"set-up": fresh_kfac, "apply": partial(M.matvec, b), "step": ten_steps(M)})
    rows.append({"fine": "K-FAC", **timed})
    for space, build in SPACES.items():
        start = process_time()
        B = kl.two_level(A, M, build(system), "A-DEF2")
        slow = process_time() - start > 0.5
        set_up = ratios({"set-up": partial(lambda build: Galerkin(A, build(system)), build)}, rounds=1 if slow else 5)
        for fine, M_fine in (("none", FINE["none"](system)), ("K-FAC", M)):
            deflated = B if fine == "K-FAC" else kl.two_level(A, M_fine, B.coarse.Z, "A-DEF2")
            steps = {"A-DEF2": partial(kl.deflated_cg, A, b, B.coarse, M_fine, rtol=0.0, maxiter=10)}
            if fine == "K-FAC":
                steps |= {scheme: ten_steps(B.with_scheme(scheme)) for scheme in ("AD", "BNN")}
            for scheme, step in steps.items():
                timed = ratios({"apply": partial(deflated.with_scheme(scheme).matvec, b), "step": step})
                rows.append({"fine": fine, "space": space, "scheme": scheme, **set_up, **timed})
    return [{"net": name, **row} for row in rows]


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Four digits are more than any of the numbers is good for."""
    pairs = ((key, float(f"{value:.4g}") if isinstance(value, float) else value) for key, value in row.items())
    return {key: value for key, value in pairs if value is not None}


def save(record: dict[str, list[dict[str, Any]]]) -> None:
    """Write the JSON file, one row a line."""
    parts = [f'"question": "coarse_spaces",\n"machine": {json.dumps(machine())}']
    for key, rows in record.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        parts.append(f'"{key}": [\n{lines}\n]')
    (RESULTS / "coarse_spaces.json").write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Measure every net at every damping, then the costs at the middle one, on all processors."""
    record: dict[str, list[dict[str, Any]]] = {"nets": [], "rows": [], "costs": []}

    def keep(key: str, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            record[key].append(rounded(row))
            print(*record[key][-1].values(), sep="  ", flush=True)

    starts = {name: trained(net) for name, net in NETS.items()}
    keep("nets", ({"net": name, **NETS[name]._asdict(), **facts} for name, (_, facts) in starts.items()))
    cases = [(name, starts[name][0], relative) for relative in sorted(DAMPINGS) for name in NETS]  # long ones first
    with ProcessPoolExecutor() as pool:
        for rows in pool.map(measured, *zip(*cases, strict=True)):
            keep("rows", rows)
            save(record)
        for rows in pool.map(costs, starts, [start for start, _ in starts.values()]):
            keep("costs", rows)
    save(record)


if __name__ == "__main__":
    main()
