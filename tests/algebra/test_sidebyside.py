"""Work on several operators, handed to the library together."""

import numpy as np

import kronlin as kl
from kronlin.algebra.sidebyside import factoring_cost, side_by_side
from kronlin.arrays import library_named


def test_the_library_gets_all_calls_and_what_they_cost(monkeypatch):
    handed = []

    def watched(self, calls, costs):
        handed.append(list(costs))
        return [call() for call in calls]

    monkeypatch.setattr(type(library_named("numpy")), "concurrently", watched)
    A, B = kl.Dense(np.eye(2)), kl.Dense(np.eye(3))
    assert side_by_side(lambda X: X.shape[0], [A, B]) == [2, 3]
    assert handed == [[8.0, 27.0]]
    assert side_by_side(lambda X: X.shape[0], [A]) == [2]
    assert side_by_side(lambda X: X.shape[0], []) == []
    assert len(handed) == 1


def test_cost_counts_matrices_each_once():
    A = kl.Dense(np.eye(3))
    assert factoring_cost(kl.Kronecker(A, A)) == 27
    assert factoring_cost(kl.Diagonal(np.ones(5))) == 0
    assert factoring_cost(kl.BlockDiagonal([np.eye(2), 2 * np.eye(2)]).buckets[0]) == 16
