"""On a GPU through CuPy: products, a loop over blocks, a damped solve beside the host, and conjugate gradients.

Run as `python -m speed.gpu`, with names of nets and dtypes (`a c float32`) to measure those alone. Where there is no
CuPy or no GPU it says so and ends. Times are those of CUDA events, in turn, after a warm-up; TF32 is off.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any

from harness import report

import kronlin as kl
from speed import contest, limits, workloads
from speed.workloads import Pair

SIDE = 4096
EXAMPLES = {"a": 256, "c": 32}
DAMPING = 1e-3
STEPS = 8
"""Few enough that no run converges, which would end its steps early."""

Row = dict[str, object]
Calls = dict[str, Callable[[], object]]


def missing() -> str:
    """Why nothing can be measured here; empty if it can."""
    try:
        found = kl.arrays.library_named("cupy").devices()
    except ImportError as error:
        return str(error)
    return "" if found else "CuPy is installed, and finds no CUDA device"


def facts(cupy: Any) -> dict[str, str]:
    """What a number of a GPU is worth nothing without."""
    runtime = cupy.cuda.runtime
    told = {
        "GPU": runtime.getDeviceProperties(0)["name"].decode(),
        "CUDA driver": str(runtime.driverGetVersion()),
        "CUDA runtime": str(runtime.runtimeGetVersion()),
        "cupy": cupy.__version__,
        "TF32": "off",
    }
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        told["driver"] = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    return told


def samples(cupy: Any, calls: Calls, rounds: int = 9, budget: float = 0.03) -> dict[str, list[float]]:
    """Return the seconds a call of each took in each round, in turn; on the device by its events."""

    def on_device(call: Callable[[], object], repeats: int) -> float:
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        for _ in range(repeats):
            call()
        end.record()
        end.synchronize()
        return 1e-3 * float(cupy.cuda.get_elapsed_time(start, end)) / repeats

    def on_host(call: Callable[[], object], repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        return (time.perf_counter() - start) / repeats

    clocks = {who: on_host if "on the host" in who else on_device for who in calls}
    repeats, taken = {}, {who: [] for who in calls}
    for who, call in calls.items():
        clocks[who](call, 2)
        repeats[who] = max(1, int(budget / max(clocks[who](call, 1), 1e-7)))
    for _ in range(rounds):
        for who, call in calls.items():
            taken[who].append(clocks[who](call, repeats[who]))
    return taken


def rows(taken: dict[str, list[float]], bar: tuple[str, float, float] | None = None, **facts: Any) -> list[Row]:
    """The rows of a contest; kronlin's says what it reached, by what bar, and whether it is met."""
    table = contest.rows(taken, **facts)
    for row in table:
        row.update({"what": "", "value": None, "bar": None, "met": None})
        if bar and row["who"] == "kronlin":
            what, value, bound = bar
            above = what.startswith("at least")
            row.update({"what": what, "value": value, "bar": bound, "met": value >= bound if above else value <= bound})
    return table


def close(one: Any, other: Any, dtype: str) -> None:
    """Assert that two arrays agree, on the host."""
    one, other = (kl.arrays.to_numpy(x) for x in (one, other))
    tolerance = 1e-3 if dtype == "float32" else 1e-8
    assert abs(one - other).max() <= tolerance * abs(other).max()


def loop(cupy: Any, pairs: list[Pair], x: Any) -> Any:
    """The blocks one by one, as one would write it first."""
    parts, start = [], 0
    for g, a in pairs:
        m, n = len(g), len(a)
        block = x[start : start + m * n]
        parts.append((g @ block.reshape(m, n) @ a.T).reshape(-1))
        start += m * n
    return cupy.concatenate(parts)


def gemm(cupy: Any, dtype: str) -> Callable[[], object]:
    """The square product whose rate is the limit."""
    a = cupy.ones((SIDE, SIDE), dtype=dtype)
    return lambda: a @ a


def applications(cupy: Any, net: str, dtype: str) -> list[Row]:
    """W1: a block-diagonal Kronecker operator on 1 and 16 vectors, beside the rate of products; a loop for net b."""
    pairs = [(cupy.asarray(g), cupy.asarray(a)) for g, a in workloads.factors(net, dtype)]
    operator, found = workloads.block_diagonal(pairs), []
    for count in (1, 16):
        host = workloads.vectors(net, dtype, count)
        x = cupy.asarray(host)
        calls: Calls = {"kronlin": lambda x=x: operator @ x, "limit: GEMM": gemm(cupy, dtype)}
        if count == 1:
            calls["CuPy, a loop over blocks"] = lambda x=x: loop(cupy, pairs, x)
            close(operator @ x, loop(cupy, pairs, x), dtype)
        taken, bar = samples(cupy, calls), None
        scale = limits.kronecker_operations(net, count) / (2.0 * SIDE**3)
        if net == "b" and count == 1:
            value = median(a / b for a, b in zip(taken["CuPy, a loop over blocks"], taken["kronlin"], strict=True))
            bar = ("at least so many times faster than a loop over blocks", value, 20.0)
        elif net != "b" and count == 16:
            bar = (
                "at least this share of the GEMM rate",
                1 / limits.times_limit(taken, "kronlin", "limit: GEMM", scale),
                0.7,
            )
        found += rows(taken, bar, limit="limit: GEMM", scale=scale, work="W1", net=net, dtype=dtype, vectors=count)
    return found


def solves(cupy: Any, net: str, dtype: str) -> list[Row]:
    """W5: an exact damped solve with the Fisher matrix, the first and a further one, beside the host."""
    layers = workloads.layers(net, dtype, n=EXAMPLES[net])
    there = [kl.LayerStatistics(cupy.asarray(layer.inputs), cupy.asarray(layer.output_gradients)) for layer in layers]
    b = workloads.vectors(net, dtype)
    c, found = cupy.asarray(b), []
    host, device = (kl.fisher(given).damped(DAMPING) for given in (layers, there))
    close(device.solve(c), host.solve(b), dtype)
    further: Calls = {"kronlin": lambda: device.solve(c), "kronlin on the host": lambda: host.solve(b)}
    first: Calls = {
        "kronlin": lambda: kl.fisher(there).damped(DAMPING).solve(c),
        "kronlin on the host": lambda: kl.fisher(layers).damped(DAMPING).solve(b),
    }
    for name, calls in (("further", further), ("first", first)):
        taken = samples(cupy, calls, rounds=7)
        value = median(a / b for a, b in zip(taken["kronlin on the host"], taken["kronlin"], strict=True))
        bar = ("at least so many times faster than on the host", value, 20.0)
        found += rows(taken, bar, work=f"W5, {name} solve", net=net, dtype=dtype, vectors=1)
    return found


def iterations(cupy: Any, net: str, dtype: str) -> list[Row]:
    """W9: a step of cg beside a product with A and an application of M, and reads of the host between its looks."""
    layers = [
        kl.LayerStatistics(cupy.asarray(layer.inputs), cupy.asarray(layer.output_gradients))
        for layer in workloads.layers(net, dtype, n=EXAMPLES[net])
    ]
    A, M = kl.fisher(layers).damped(DAMPING), kl.kfac(layers).damped(DAMPING).inverse()
    b = cupy.asarray(workloads.vectors(net, dtype))

    def steps(count: int, callback: Any = None) -> Any:
        return kl.cg(A, b, M=M, rtol=0.0, maxiter=count, check_every=10 * STEPS, callback=callback)

    assert steps(2 * STEPS).iterations == 2 * STEPS
    taken = samples(
        cupy, {"A and M": lambda: (A @ b, M @ b), "short": lambda: steps(STEPS), "long": lambda: steps(2 * STEPS)}
    )
    per_step = [(long - short) / STEPS for long, short in zip(taken["long"], taken["short"], strict=True)]
    by_parts = median(step / parts for step, parts in zip(per_step, taken["A and M"], strict=True))
    bar = ("at most this many times a product with A and one with M", by_parts, 1.15)
    reads = reads_between_looks(cupy, lambda callback: steps(STEPS, callback))
    table = rows({"kronlin": per_step, "A and M": taken["A and M"]}, bar, work="W9", net=net, dtype=dtype, vectors=1)
    read = dict.fromkeys(table[0]) | {"work": "W9, reads between looks", "net": net, "dtype": dtype, "vectors": 1}
    read |= {"who": "kronlin", "what": "at most so many reads", "value": float(reads), "bar": 0.0, "met": reads == 0}
    return [*table, read]


def reads_between_looks(cupy: Any, solve: Callable[[Callable[[Any], None]], object]) -> int:
    """How often a solver reads a number of the device from its second step to its last."""
    counts, seen, kept = [0], [], {}

    def counting(function: Callable) -> Callable:
        def read(*args: Any, **options: Any) -> Any:
            counts[0] += 1
            return function(*args, **options)

        return read

    for name in ("get", "item", "__bool__", "__float__", "__int__", "__complex__"):
        kept[name] = vars(cupy.ndarray).get(name)
        setattr(cupy.ndarray, name, counting(getattr(cupy.ndarray, name)))
    try:
        solve(lambda x: seen.append(counts[0]))
    finally:
        for name, function in kept.items():
            delattr(cupy.ndarray, name) if function is None else setattr(cupy.ndarray, name, function)
    return seen[-1] - seen[0]


QUESTIONS = ((applications, "abc"), (solves, "a"), (iterations, "ac"))


def main(*chosen: str) -> None:
    """Measure what was chosen, all without a choice, and keep it in results/speed_gpu.json."""
    os.environ["CUPY_TF32"] = "0"  # read by CuPy when it is imported, which missing() does
    reason = missing()
    if reason:
        print(f"speed.gpu is skipped: {reason}")
        return
    cupy = import_module("cupy")
    dtypes, nets = ([name for name in all_of if name in chosen] or all_of for all_of in (workloads.KINDS, "abc"))
    table: list[Row] = []
    for dtype in dtypes:
        for question, shapes in QUESTIONS:
            for net in (net for net in nets if net in shapes):
                table += question(cupy, net, dtype)
    report("speed_gpu", table, facts(cupy))
    for row in table:
        if row["bar"] is not None:
            print(
                "met   " if row["met"] else "missed", row["work"], row["net"], row["dtype"], row["what"], row["value"]
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
