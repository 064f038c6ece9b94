"""What the tests of all schemes share: the check of one scheme against its dense formula."""

import numpy as np

from kronlin.coarse import nicolaides, spectral
from kronlin.curvature import LayerStatistics, fisher, kfac
from kronlin.twolevel import TwoLevel, two_level
from tests.nets import close, fisher_by_definition, layers_of, mlp_layers, random_layers, reference
from tests.triples import Formulas, Triple, formulas, spectrum

SPACES = ("nicolaides", "smallest", "smallest-nonzero", "largest", "array")


def coarse_space(layers: list[LayerStatistics], name: str):
    """One of the coarse spaces, for a net."""
    K = kfac(layers)
    if name == "nicolaides":
        return nicolaides(K)
    if name == "array":
        return np.random.default_rng(0).standard_normal((K.shape[0], 4))
    return spectral(K, 2, name)


def small_fishers() -> dict[str, tuple[list[LayerStatistics], float]]:
    """Exact Fisher matrices of small nets, with a damping."""
    rng = np.random.default_rng(3)
    return {
        "classifier": (mlp_layers((4, 5, 3), "softmax", 6)[0], 1e-1),
        "regression": (mlp_layers((3, 3, 3, 2), "mse", 10, activation="relu")[0], 1e-2),
        "shared": (random_layers(rng, 5, 2, [(3, 2), (2, 4), (3, 2)], 3), 1e-1),
    }


def fisher_triple(layers: list[LayerStatistics], lam: float, space: str) -> tuple[tuple, Triple]:
    """A, M, Z as operators, and the same as arrays (A by its definition)."""
    A, M, Z = fisher(layers).damped(lam), kfac(layers).damped(lam).inverse(), coarse_space(layers, space)
    dense = fisher_by_definition(layers) + lam * np.eye(A.shape[0])
    return (A, M, Z), Triple(dense, M.to_dense(), Z if isinstance(Z, np.ndarray) else Z.to_dense())


def check_formula(scheme: str, operators: tuple, triple: Triple) -> TwoLevel:
    """A scheme and its adjoint equal their dense formulas to 1e-14 times the condition."""
    B, wanted = two_level(*operators, scheme), formulas(*triple)
    tolerance = 1e-14 * triple.condition * wanted.sizes[scheme]
    dense = wanted.schemes[scheme]
    assert np.linalg.norm(B.to_dense() - dense, 2) <= tolerance
    assert np.linalg.norm(B.H.to_dense() - dense.T, 2) <= tolerance
    x = np.linspace(-1, 2, len(dense))
    assert np.linalg.norm(B @ x - dense @ x) <= tolerance * np.linalg.norm(x)
    two = np.stack([x, 2 - x], axis=1)
    assert np.linalg.norm(B.H @ two - dense.T @ two) <= tolerance * np.linalg.norm(two)
    return B


def check_reference(scheme: str, name: str, lam: str, space: str) -> None:
    """The stored vector B g and the stored spectrum of B A of a reference net."""
    data = reference(name)
    layers, key = layers_of(data), f"tl_{space}_{lam}_{scheme.replace('-', '')}"
    A = fisher(layers).damped(float(lam))
    B = two_level(A, kfac(layers).damped(float(lam)).inverse(), data[f"Z_{space}"], scheme)
    found = spectrum(B.to_dense(), A.to_dense())
    close(B @ data["tl_rhs"], data[f"{key}_vec"], 1e-11)
    np.testing.assert_allclose(found, data[f"{key}_eig"], atol=1e-8 * np.abs(found).max())


def matrices(scheme: str, triple: Triple) -> tuple[np.ndarray, Formulas]:
    """The scheme as an array, made by the library, and the dense formulas."""
    return two_level(*triple, scheme).to_dense(), formulas(*triple)
