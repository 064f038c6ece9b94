"""One class for each kind of work, on the nets of the speed questions that a minute is enough for."""

from speed import workloads

import kronlin as kl

LAM = 0.1


class OnANet:
    """What all share: a net, a dtype, and times that are the median of a few samples."""

    param_names = ("net", "dtype")
    params = (["a", "b"], ["float32", "float64"])
    timeout = 120

    def setup(self, net: str, dtype: str) -> None:
        """Make the factors, and a vector."""
        self.pairs = workloads.factors(net, dtype)
        self.operator = workloads.block_diagonal(self.pairs)
        self.x = workloads.vectors(net, dtype)


class Application(OnANet):
    """Products with a block-diagonal Kronecker operator and with its damped inverse, of one vector and of sixteen."""

    def setup(self, net: str, dtype: str) -> None:
        super().setup(net, dtype)
        self.inverse = self.operator.damped(LAM).inverse().prepare()
        self.block = workloads.vectors(net, dtype, 16)
        self.inverse @ self.x

    def time_one_vector(self, *_: str) -> None:
        self.operator @ self.x

    def time_sixteen_vectors(self, *_: str) -> None:
        self.operator @ self.block

    def time_inverse(self, *_: str) -> None:
        self.inverse @ self.x


class Inversion(OnANet):
    """From the factors to a damped inverse that is ready."""

    def time_exact(self, *_: str) -> None:
        workloads.block_diagonal(self.pairs).damped(LAM).inverse().prepare()

    def time_factored(self, *_: str) -> None:
        kl.factored_damping(workloads.block_diagonal(self.pairs), LAM).inverse().prepare()

    def time_scalars(self, *_: str) -> None:
        damped = workloads.block_diagonal(self.pairs).damped(LAM)
        damped.trace(), damped.logdet(), damped.diagonal()


class Fisher(OnANet):
    """The exact Fisher matrix of 256 examples: products, a damped solve, and two levels on it."""

    def setup(self, net: str, dtype: str) -> None:
        super().setup(net, dtype)
        self.layers = workloads.layers(net, dtype)
        self.fisher = kl.fisher(self.layers)
        self.damped = self.fisher.damped(1e-3)
        approximation = kl.kfac(self.layers)
        self.one = approximation.damped(1e-3).inverse()
        self.two = kl.two_level(self.damped, self.one, kl.coarse.nicolaides(approximation), "BNN")
        self.two @ self.x

    def time_product(self, *_: str) -> None:
        self.fisher @ self.x

    def time_first_solve(self, *_: str) -> None:
        kl.fisher(self.layers).damped(1e-3).solve(self.x)

    def time_two_level(self, *_: str) -> None:
        self.two @ self.x

    def time_ten_steps(self, *_: str) -> None:
        kl.cg(self.damped, self.x, M=self.one, rtol=0.0, maxiter=10)


def timeraw_import() -> str:
    """A fresh interpreter that imports kronlin."""
    return "import kronlin"
