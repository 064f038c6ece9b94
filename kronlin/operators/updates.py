"""Five forms of the inverse of an updated operator A = B + U C Vᴴ, all from that of B and a system of r rows."""

from kronlin.algebra import Identity, Operator, Product, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.arrays import Array, SingularMatrixError, adjoint, max_abs, qr
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.lowrank import LowRank, is_formable
from kronlin.operators.spectral import Spectral, taken_apart


class Update:
    """An inverse of A; `form` says which, and `refinements` how many steps of refinement a solution is worth."""

    form: str
    refinements: int

    def solve(self, b: Array) -> Array:
        """A⁻¹ b, without refinement."""
        raise NotImplementedError

    def inverse(self) -> Operator:
        """A⁻¹ as an operator."""
        raise NotImplementedError

    def slogdet(self) -> tuple[Array, Array]:
        """Sign of det A and log |det A|."""
        raise NotImplementedError


class CholeskyUpdate(Update):
    """A⁻¹ = B⁻¹ - L R S⁻¹ Rᴴ Lᴴ with L = B⁻¹ U, C = R Rᴴ and S = I + Rᴴ UᴴL R, for a pd B and a psd C = Cᴴ, V = U.

    S ≥ I, so that C may be singular. A product loses log₁₀ cond S digits where the two terms cancel.
    """

    form = "Cholesky"
    refinements = 1

    def __init__(
        self, base: Operator, base_inverse: Operator, left: Operator, root: Operator, system: Operator
    ) -> None:
        self.base, self.base_inverse, self.left, self.root, self.system = base, base_inverse, left, root, system

    def solve(self, b: Array) -> Array:
        inner = self.root.H._matmat(self.left.H._matmat(b))
        inner = self.root._matmat(rules.solve(self.system, inner))
        return self.base_inverse._matmat(b) - self.left._matmat(inner)

    def inverse(self) -> Operator:
        return self.base_inverse - LowRank._make(self.left, self.root @ self.system.inverse() @ self.root.H)

    def slogdet(self) -> tuple[Array, Array]:
        return product_of(self.base.slogdet(), self.system.slogdet())


class LUUpdate(Update):
    """A⁻¹ = B⁻¹ - L C S⁻¹ Rᴴ with L = B⁻¹ U, R = B⁻ᴴ V and S = I + VᴴL C, for any B that has an inverse, C and V."""

    form = "LU"
    refinements = 3

    def __init__(
        self, base: Operator, base_inverse: Operator, left: Operator, right: Operator, core: Operator, system: Dense
    ) -> None:
        self.base, self.base_inverse, self.left, self.right = base, base_inverse, left, right
        self.core, self.system = core, system

    def solve(self, b: Array) -> Array:
        inner = self.core._matmat(rules.solve(self.system, self.right.H._matmat(b)))
        return self.base_inverse._matmat(b) - self.left._matmat(inner)

    def inverse(self) -> Operator:
        return self.base_inverse - LowRank._make(self.left, self.core @ self.system.inverse(), self.right)

    def slogdet(self) -> tuple[Array, Array]:
        return product_of(self.base.slogdet(), self.system.slogdet())


class EigenUpdate(Update):
    """A = c I + Q diag(w) Qᴴ in the eigenbasis of U C Uᴴ, C = Cᴴ, which is found once for all c.

    x = Q (Qᴴb / (c + w)) + (b - Q Qᴴb) / c: the part of b in the range of U and the part outside are kept apart, so
    that nothing cancels, however small c is. The inverse is a `Spectral`.
    """

    form = "eigenbasis"
    refinements = 3

    def __init__(self, total: Spectral) -> None:
        self.total = total

    @classmethod
    def find(cls, base: Operator, term: LowRank) -> "EigenUpdate | None":
        """The form for a multiple of I with a real factor; None for other operands.

        Raises:
            SingularMatrixError: an eigenvalue of A is rounding error.
        """
        factor = multiple_of_identity(base)
        if not isinstance(factor, int | float) or not term._has_eigenbasis():
            return None
        basis = term.eigh()
        total = rules.shift(basis, factor)
        xp, floor = base.kind.xp, term.rank * base.kind.eps * max_abs(basis.w)
        if not (term.C.is_psd and factor > 0) and bool(xp.any(xp.abs(total.w) <= floor)):
            raise SingularMatrixError(no_inverse(base + term, "an eigenvalue is rounding error beside the largest"))
        return cls(total)

    def solve(self, b: Array) -> Array:
        return self.inverse()._matmat(b)

    def inverse(self) -> Operator:
        return self.total.inverse()

    def slogdet(self) -> tuple[Array, Array]:
        return self.total.slogdet()


class CompressedUpdate(Update):
    """A = c (I - P Pᴴ) + P (M + c I) Pᴴ with M = PᴴU C VᴴP and P an orthonormal basis of the ranges of U and V.

    For a multiple B = c I of I and any C and V; as in the eigenbasis nothing cancels in a solution.
    """

    form = "compressed"
    refinements = 3

    def __init__(self, base: Operator, P: Operator, system: Operator) -> None:
        self.base, self.P, self.system = base, P, system

    @classmethod
    def find(cls, base: Operator, term: LowRank) -> "CompressedUpdate | None":
        """The form for c I + U C Vᴴ; None for another B, and where U and V are too large to be formed."""
        factor, (n, r) = multiple_of_identity(base), term.U.shape
        width = r if term.V is term.U else r + term.V.shape[1]
        if factor is None or width >= n or not (is_formable(term.U) and is_formable(term.V)):
            return None
        sides = [term.U.to_dense()] if term.V is term.U else [term.U.to_dense(), term.V.to_dense()]
        p, k = qr(base.kind.xp.concat(sides, axis=-1))
        left, right = k[..., :, :r], k[..., :, width - term.V.shape[1] :]
        inner = left @ term.C._matmat(adjoint(right))
        return cls(base, Dense._make(p), rules.shift(Dense._make(inner), factor))

    def solve(self, b: Array) -> Array:
        inside, outside = taken_apart(self.P, b)
        return self.P._matmat(rules.solve(self.system, inside)) + rules.solve(self.base, outside)

    def inverse(self) -> Operator:
        """Again a sum: I / c + P ((M + c I)⁻¹ - I / c) Pᴴ."""
        outside = self.base.inverse()
        core = rules.shift(self.system.inverse(), -(multiple_of_identity(outside) or 0))
        return outside + LowRank._make(self.P, core)

    def slogdet(self) -> tuple[Array, Array]:
        rest = rules.scale(Identity(self.P.shape[0] - self.P.shape[1], like=self.base), multiple_of_identity(self.base))
        return product_of(rest.slogdet(), self.system.slogdet())


class WhitenedUpdate(Update):
    """A = B^½ (I + B^-½ U C VᴴB^-½) B^½ for a pd B, with one of the forms for multiples of I inside.

    The inverse is the `Product` of B^-½, the inverse inside, and B^-½.
    """

    refinements = 3

    def __init__(self, base: Operator, half: Operator, inner: Update) -> None:
        self.base, self.half, self.inner = base, half, inner
        self.form = f"whitened {inner.form}"

    @classmethod
    def find(cls, base: Operator, term: LowRank) -> "WhitenedUpdate | None":
        """The form for a pd B with B^-½ at hand; None for another one, and where U and V are too large to be formed."""
        if not (base.is_pd and is_formable(term.U) and is_formable(term.V)):
            return None
        try:
            half = base.power(-0.5)
        except ValueError:
            return None
        left = Dense._make(half._matmat(term.U.to_dense()))
        sides = () if term.V is term.U else (Dense._make(half._matmat(term.V.to_dense())),)
        unit, white = Identity(base.shape[0], like=base), LowRank._make(left, term.C, *sides)
        inner = EigenUpdate.find(unit, white) or CompressedUpdate.find(unit, white)
        return None if inner is None else cls(base, half, inner)

    def solve(self, b: Array) -> Array:
        return self.half._matmat(self.inner.solve(self.half._matmat(b)))

    def inverse(self) -> Operator:
        return Product(self.half, self.inner.inverse(), self.half)

    def slogdet(self) -> tuple[Array, Array]:
        return product_of(self.base.slogdet(), self.inner.slogdet())


def product_of(one: tuple[Array, Array], two: tuple[Array, Array]) -> tuple[Array, Array]:
    """Multiply two determinants, given by sign and logarithm."""
    return one[0] * two[0], one[1] + two[1]
