"""The cost of setting up and applying a two-level preconditioner, and of a step of a solver with it.

A is the damped Fisher matrix of 256 examples, M the damped inverse of K-FAC, Z the coarse space of Nicolaides, with one
column a layer: 8 for net a, 64 for net b, and for 4 to 64 equal layers of 30 outputs. The limit of the set-up is a
product with the Fisher matrix, that of an application the products with A and M, and that of a step of a solver the
product with A and what it applies.

Run `python -m speed.two_level` in this folder's parent for all (several minutes), or name nets and dtypes:
`python -m speed.two_level b float32` takes half a minute, and its result has these alone.
"""

import sys
from collections.abc import Callable

import kronlin as kl
from speed.contest import rows, samples
from speed.record import record
from speed.workloads import KINDS, NETS, layers, vectors

LAM = 1e-2
FEW, MANY = 3, 8
EQUAL = {f"{count} layers 30-30": [(30, 31)] * count for count in (4, 16, 64)}
ROUNDS = {"a": 3, "b": 7}


def by(
    limit: list[str], taken: dict[str, list[float]], who: dict[str, list[float]], **facts: object
) -> list[dict[str, object]]:
    """Rows of contestants beside the sum of some measurements; the first is kronlin's."""
    total = [sum(times) for times in zip(*(taken[name] for name in limit), strict=True)]
    first = next(iter(who))
    table = rows({"kronlin": who[first], **who, "limit": total}, "limit", 1.0, **facts)[1:]
    table[-1]["who"] = "limit: " + " + ".join(limit)
    return table


def measure(net: str, dtype: str) -> list[dict[str, object]]:
    """Set-up, application and steps."""
    statistics = layers(net, dtype)
    F, K = kl.fisher(statistics), kl.kfac(statistics)
    A, M, Z, b = F.damped(LAM), K.damped(LAM).inverse(), kl.coarse.nicolaides(K), vectors(net, dtype)
    schemes = {name: kl.two_level(A, M, Z, name) for name in ("AD", "A-DEF2", "BNN")}
    coarse = schemes["BNN"].coarse
    calls: dict[str, Callable[[], object]] = {
        "F": lambda: F @ b,
        "A": lambda: A @ b,
        "M": lambda: M @ b,
        "set-up": lambda: kl.two_level(A, M, Z, "BNN"),
        **{name: lambda B=B: B @ b for name, B in schemes.items()},
    }
    for steps in (FEW, MANY):
        calls[f"cg {steps}"] = lambda n=steps: kl.cg(A, b, M=M, rtol=0.0, maxiter=n)
        calls[f"cg, BNN {steps}"] = lambda n=steps: kl.cg(A, b, M=schemes["BNN"], rtol=0.0, maxiter=n)
        for name in ("A-DEF2", "DEF1"):
            calls[f"deflated_cg, {name} {steps}"] = lambda n=steps, scheme=name: kl.deflated_cg(
                A, b, coarse, M, scheme=scheme, rtol=0.0, maxiter=n
            )
    taken = samples(calls, ROUNDS.get(net, 5))

    def step(name: str) -> list[float]:
        pairs = zip(taken[f"{name} {FEW}"], taken[f"{name} {MANY}"], strict=True)
        return [(many - few) / (MANY - FEW) for few, many in pairs]

    facts: dict[str, object] = {"question": "two_level", "net": net, "dtype": dtype, "columns": Z.shape[1]}
    one_level = [f"deflated_cg, {name}" for name in ("A-DEF2", "DEF1")]
    return [
        *by(["F"], taken, {"set-up, BNN": taken["set-up"]}, **facts),
        *by(["A", "M"], taken, {f"application, {name}": taken[name] for name in ("BNN", "A-DEF2", "AD")}, **facts),
        *by(["A", "M"], taken, {f"a step of {name}": step(name) for name in ("cg", *one_level)}, **facts),
        *by(["A", "BNN"], taken, {"a step of cg, BNN": step("cg, BNN")}, **facts),
    ]


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen."""
    NETS.update(EQUAL)
    known = ["a", "b", *EQUAL]
    nets = [net for net in known if net in chosen] or known
    dtypes = [dtype for dtype in KINDS if dtype in chosen] or list(KINDS)
    cases = [(net, dtype) for net in nets for dtype in dtypes if net not in EQUAL or dtype == "float32"]
    record("speed_two_level", [row for case in cases for row in measure(*case)])


if __name__ == "__main__":
    main(sys.argv[1:])
