"""The peers' operators of a net's factors, each by its obvious public call, opened when a question asks for them.

A builder takes what it needs and returns a call that computes; a peer that is not installed raises ImportError, and
`entered` leaves it out. PyTorch's tensors share the memory of the arrays.
"""

import warnings
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from typing import Any

import numpy as np

from speed.workloads import Pair

Call = Callable[[], Any]
Builder = Callable[[], Call]


def entered(builders: dict[str, Builder]) -> tuple[dict[str, Call], list[str]]:
    """The calls of those contestants whose library is installed, and the names of the others."""
    calls: dict[str, Call] = {}
    absent = []
    for name, build in builders.items():
        try:
            calls[name] = build()
        except ImportError:
            absent.append(name)
    return calls, absent


def tensor(array: np.ndarray) -> Any:
    """The array as a tensor of PyTorch, without a copy."""
    return import_module("torch").from_numpy(array)


def curvlinops_kfac(pairs: list[Pair]) -> Any:
    """K-FAC of curvlinops on layers that have these inputs (the bias among them), loaded with the factors."""
    curvlinops, torch = import_module("curvlinops"), import_module("torch")
    layers = [torch.nn.Linear(len(a), len(g), bias=False, dtype=tensor(g).dtype) for g, a in pairs]
    model, nothing = torch.nn.Sequential(*layers), torch.zeros(1, 1)
    kfac = curvlinops.KFACLinearOperator(
        model,
        torch.nn.MSELoss(),
        list(model.parameters()),
        [(nothing, nothing)],
        check_deterministic=False,
        num_data=1,
        num_per_example_loss_terms=1,
        separate_weight_and_bias=False,
    )
    state = kfac.state_dict()
    state["gradient_covariances"] = {str(i): tensor(g) for i, (g, _) in enumerate(pairs)}
    state["input_covariances"] = {str(i): tensor(a) for i, (_, a) in enumerate(pairs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that the parameters of the model are overwritten
        kfac.load_state_dict(state)
    return kfac


def cola_blocks(pairs: list[Pair]) -> Any:
    """The block-diagonal operator of CoLA, on PyTorch."""
    ops = import_module("cola").ops
    return ops.BlockDiag(*(ops.Kronecker(ops.Dense(tensor(g)), ops.Dense(tensor(a))) for g, a in pairs))


def linear_operator_blocks(pairs: list[Pair]) -> list[Any]:
    """A Kronecker product of linear_operator for each layer: its block-diagonal operators take equal blocks only."""
    package = import_module("linear_operator")
    product, wrap = package.operators.KroneckerProductLinearOperator, package.to_linear_operator
    return [product(wrap(tensor(g)), wrap(tensor(a))) for g, a in pairs]


def pylops_blocks(pairs: list[Pair]) -> Any:
    """The block-diagonal operator of PyLops."""
    pylops = import_module("pylops")

    def dense(matrix: np.ndarray) -> Any:
        return pylops.MatrixMult(matrix, dtype=matrix.dtype)

    return pylops.BlockDiag(
        [pylops.Kronecker(dense(g), dense(a), dtype=g.dtype) for g, a in pairs], dtype=pairs[0][0].dtype
    )


def pykronecker_blocks(pairs: list[Pair]) -> Any:
    """The block-diagonal operator of pykronecker; where JAX is installed it computes with JAX."""
    with redirect_stdout(StringIO()):  # it prints which
        package = import_module("pykronecker")
    if any(g.dtype == np.float64 for g, _ in pairs):
        with suppress(ImportError):
            import_module("jax").config.update("jax_enable_x64", True)
    return package.KroneckerBlockDiag([package.KroneckerProduct([g, a]) for g, a in pairs])


def nngeometry_kfac(pairs: list[Pair]) -> Any:
    """K-FAC of nngeometry on layers that have these inputs (the bias among them)."""
    collections = import_module("nngeometry.layercollection")
    spaces = import_module("nngeometry.object")
    layers = collections.LayerCollection()
    for i, (g, a) in enumerate(pairs):
        layers.add_layer(str(i), collections.LinearLayer(len(a), len(g), bias=False))

    class Factors:
        """What its operators ask of a generator once they have data."""

        layer_collection = layers

    return spaces.PMatKFAC(Factors(), data={str(i): (tensor(a), tensor(g)) for i, (g, a) in enumerate(pairs)})


def nngeometry_vector(kfac: Any, x: np.ndarray) -> Any:
    """A vector of parameters of nngeometry."""
    spaces = import_module("nngeometry.object")
    return spaces.PVector(kfac.generator.layer_collection, vector_repr=tensor(x))


def one_after_the_other(products: list[Callable[[Any], Any]], x: Any, sizes: list[int]) -> Any:
    """Apply an operator a block to the pieces of a tensor, and join them: the loop that a user writes."""
    torch = import_module("torch")
    return torch.cat([product(piece) for product, piece in zip(products, torch.split(x, sizes), strict=True)])


def as_array(result: Any) -> np.ndarray:
    """What a contestant returned, as an array of NumPy."""
    if hasattr(result, "to_torch"):
        result = result.to_torch()
    return np.asarray(result)
