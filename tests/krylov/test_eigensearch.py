"""The rounds of the search, and the choice among values."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov.eigensearch import EigenSearch, selected
from tests.krylov.systems import with_spectrum

VALUES = np.array([1.0, -5.0, 4.0, 0.5, 5.5])


@pytest.mark.parametrize(
    ("which", "expected"),
    [("LM", [-5.0, 5.5]), ("SM", [0.5, 1.0]), ("LA", [4.0, 5.5]), ("SA", [-5.0, 0.5]), ("BE", [-5.0, 5.5])],
)
def test_selected(which, expected):
    assert sorted(VALUES[selected(VALUES, 2, which)]) == expected
    assert len(selected(VALUES, 9, which)) == 5
    assert len(selected(VALUES, 3, which)) == 3
    assert len(selected(VALUES, 1, which)) == 1


def test_equal_values_do_not_displace_what_was_found():
    values = np.array([1.0, 2.0, 2.0 + 1e-14])
    ahead = np.array([1e-10, 1e-10, 0.0])
    assert sorted(selected(values, 1, "LA", ahead)) == [1]
    assert sorted(selected(values, 1, "LA")) == [2]


def test_rounds_find_the_copies_and_the_last_confirms():
    A = kl.Diagonal(np.array([7.0] * 3 + [1.0, 2.0, 3.0, 4.0]))
    search = EigenSearch(A.kind, 3, "LA", 1e-10, 100)
    assert search.round(A, None, 0)
    np.testing.assert_allclose(np.sort(search.values), [3, 4, 7])
    rounds = 1
    while search.round(A, None, rounds):
        rounds += 1
    assert 2 <= rounds <= 3
    np.testing.assert_allclose(search.result()[0], [7, 7, 7])


def test_a_space_that_is_used_up_ends_the_search():
    root = with_spectrum(np.linspace(1, 3, 6), seed=4)[:, :2]
    M, A = kl.LowRank(root), kl.Identity(6, dtype="float64")
    search = EigenSearch(A.kind, 2, "LA", 1e-10, 100)
    assert [search.round(A, M, seed) for seed in range(2)] == [True, False]
    np.testing.assert_allclose(search.result()[0], np.linalg.eigvalsh(root.T @ root), rtol=1e-8)


def test_an_indefinite_preconditioner_is_found():
    A = kl.Identity(3, dtype="float64")
    with pytest.raises(ValueError, match=r"psd|positive semidefinite"):
        kl.eigsh(A, 1, "LA", np.diag([1.0, -1.0, -2.0]))
