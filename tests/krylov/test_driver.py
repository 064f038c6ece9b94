"""What surrounds every recurrence: steps, the bar, the callback and the check of the true residual."""

import sys

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov import cg
from kronlin.krylov.driver import Run
from kronlin.krylov.stopping import EXHAUSTED, limits
from kronlin.krylov.system import enter
from tests.krylov.systems import with_spectrum


def run(maxiter, check_every=1, **options):
    system = enter("test", kl.Dense(np.eye(3)), None, np.ones((3, 2)), None)
    return Run(system, limits(system, 1e-8, 0.0, maxiter, check_every, "test"), name="test", **options)


def test_steps_end_with_the_limit_whatever_the_looks():
    for check_every in (1, 4, 100):
        this = run(7, check_every)
        this.watch.replace(np.ones(2))
        count = 0
        for _ in this.steps():
            this.watch.record(np.ones(2))
            count += 1
        assert count == 7
        assert this.left == 0


def test_steps_end_when_every_column_rests():
    this = run(100, check_every=3)
    this.watch.replace(np.ones(2))
    for _ in this.steps():
        this.watch.record(np.array([0.0, 1.0]) if len(this.watch.history) == 1 else np.zeros(2))
    assert len(this.watch.history) == 3, "two steps and the start; the third step of the burst is forgotten"


def test_a_deceived_cycle_is_run_again_until_it_does_not_help():
    calls = []

    def cycle(x):
        calls.append(1)
        this.watch.replace(np.ones(2) if len(calls) == 1 else np.full(2, 1e-3))
        for _ in this.steps():
            this.watch.record(np.zeros(2))
        return this.system.b * (1 - 1e-3 ** min(len(calls), 2))

    this = run(100)
    result = this.solve(cycle)
    assert len(calls) == 3, "a second try that helped, a third that did not"
    assert result.status.endswith("this is as far as rounding allows")
    assert result.info > 0
    np.testing.assert_allclose(result.true_residual, 1e-6, rtol=1e-6)


def test_a_cycle_that_lost_the_system_is_taken_back():
    this = run(100)
    this.watch.replace(np.ones(2))
    good, bad = this.system.b, this.system.b * np.array([1.0, 1e9])
    x, _ = this.settled(bad, 0 * good, np.ones(2))
    np.testing.assert_array_equal(x, good * np.array([1.0, 0.0]))
    np.testing.assert_array_equal(this.watch.fault, [0, EXHAUSTED])
    np.testing.assert_array_equal(this.watch.active, [True, False])


def test_progress_bar_is_shown_on_request(capsys):
    A = with_spectrum(np.logspace(0, 1, 12))
    b, Z = np.ones(12), np.ones((12, 1))
    solvers = {
        "cg": lambda **options: cg(A, b, **options),
        "minres": lambda **options: kl.minres(A, b, **options),
        "gmres": lambda **options: kl.gmres(A, b, **options),
        "DEF1": lambda **options: kl.deflated_cg(A, b, Z, scheme="DEF1", **options),
    }
    for name, solver in solvers.items():
        solver()
        assert capsys.readouterr().err == ""
        solver(progress=True)
        assert name in (shown := capsys.readouterr().err)
        assert "residual" in shown


def test_bar_without_tqdm_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"kronlin\[demo\]"):
        cg(np.eye(2), np.ones(2), progress=True)
