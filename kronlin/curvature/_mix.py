"""mix: the weighted mean of two operators of one structure, factor by factor."""

from typing import Any

from kronlin.algebra import Identity, Operator, Properties, Scaled, Sum
from kronlin.algebra.dispatch import Rule
from kronlin.algebra.properties import every
from kronlin.arrays import kind
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Kronecker, Spectral
from kronlin.operators.blockdiagonal import pairwise

mix = Rule("mix", 2, "the operator whose factors are ρ times those of A plus 1 - ρ times those of B")


def require_mixable(a: Operator, b: Operator) -> None:
    """Require operators of one kind and shape."""
    if a.kind != b.kind:
        raise ValueError(f"cannot average {a.kind} and {b.kind}: bring them together with .to(...) or .astype(...)")
    if a.shape != b.shape:
        raise ValueError(f"cannot average {a!r} and {b!r}: their shapes differ")


@mix.register(Operator, Operator)
def mix_is_unknown(a: Operator, b: Operator, rho: float) -> Operator:
    """The end of the line: different structures, or one whose factors have no mean."""
    raise ValueError(
        f"cannot average {a!r} and {b!r} factor by factor: both must have one structure, of Dense, Diagonal, "
        "Kronecker, Spectral and BlockDiagonal operators, with factors of the same sizes"
    )


@mix.register(Sum, Sum)
def mix_sums(a: Sum, b: Sum, rho: float) -> Operator:
    """The terms of two sums do not belong to each other, so they are refused."""
    raise ValueError(
        f"cannot average {a!r} and {b!r} term by term: where the terms are singular pairs, as those of kpsvd or "
        "kfac_corrected, each batch has its own, and their means are no singular pairs of the mean; average "
        "kfac(layers), or form the sum from all examples at once"
    )


@mix.register(Dense, Dense)
def mix_dense(a: Dense, b: Dense, rho: float) -> Operator:
    """ρ A + (1 - ρ) B, psd if both are."""
    if a.array.shape != b.array.shape:
        return NotImplemented
    known = zip(a._promised, b._promised, strict=True)
    return Dense._make(rho * a.array + (1 - rho) * b.array)._with(Properties(*(every(list(each)) for each in known)))


@mix.register(Diagonal, Diagonal)
def mix_diagonals(a: Diagonal, b: Diagonal, rho: float) -> Operator:
    """ρ d + (1 - ρ) e."""
    if a.entries.shape != b.entries.shape:
        return NotImplemented
    return Diagonal._make(rho * a.entries + (1 - rho) * b.entries)


@mix.register(Identity, Identity)
def mix_identities(a: Identity, b: Identity, rho: float) -> Operator:
    """The mean of I and I is I."""
    return a


@mix.register(Scaled, Scaled)
def mix_scaled(a: Scaled, b: Scaled, rho: float) -> Operator:
    """The mean of c A and c B is c times that of A and B."""
    return Scaled(mix(a.base, b.base, rho), factor=a.factor) if a.factor == b.factor else NotImplemented


@mix.register(Kronecker, Kronecker)
def mix_kroneckers(a: Kronecker, b: Kronecker, rho: float) -> Operator:
    """The mean of A ⊗ B and C ⊗ D is that of A and C ⊗ that of B and D, for factors of equal sizes."""
    if [factor.shape for factor in a.factors] != [factor.shape for factor in b.factors]:
        return NotImplemented
    return Kronecker._make(*(mix(one, other, rho) for one, other in zip(a.factors, b.factors, strict=True)))


@mix.register(BlockDiagonal, BlockDiagonal)
def mix_block_diagonals(a: BlockDiagonal, b: BlockDiagonal, rho: float) -> Operator:
    """Block by block, where the cuts agree."""
    if a.rows.sizes != b.rows.sizes or a.columns.sizes != b.columns.sizes:
        return NotImplemented
    return pairwise(a, b, lambda one, other: mix(one, other, rho))


@mix.register(Spectral, Spectral)
def mix_spectra(a: Spectral, b: Spectral, rho: float) -> Operator:
    """ρ v + (1 - ρ) w of two in one basis, where it is the mean of the operators too."""
    if not equal(a.Q, b.Q):
        raise ValueError(
            f"cannot average {a!r} and {b!r}: their eigenvalues are of different bases; evaluate the new ones in the "
            "old basis by ekfac(layers, basis=old), turn the old ones into the new basis by rotate(old, new), or "
            "start again by reset()"
        )
    return Spectral._make(a.Q, rho * a.w + (1 - rho) * b.w, rest=rho * a.rest + (1 - rho) * b.rest)


def equal(a: Any, b: Any) -> bool:
    """Whether two operators, or arrays, have the same structure and the same entries to the last bit."""
    if a is b:
        return True
    if not isinstance(a, Operator):
        return a.shape == b.shape and a.dtype == b.dtype and bool(kind(a).xp.all(a == b))
    alike = type(a) is type(b) and a.shape == b.shape and a.options == b.options and len(a.parts) == len(b.parts)
    return alike and all(map(equal, a.parts, b.parts))
