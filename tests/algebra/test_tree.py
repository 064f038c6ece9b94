"""tree: every part once, with its memory; and the one line that stands for it elsewhere."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given

import kronlin as kl
from kronlin.algebra import Product, Sum
from kronlin.algebra._tree import in_units
from kronlin.testing import strategies
from tests.algebra.bare import Bare
from tests.libraries import STRICT_DEVICE, TORCH, installed
from tests.matrices import normal, positive

ROOTS = [kl.FisherRoot(normal((20, 5), seed=i), normal((20, 3), seed=i + 9)) for i in range(3)]


def lines(*arguments, **options):
    return str(kl.tree(*arguments, **options)).splitlines()


def test_a_two_level_method():
    K = kl.BlockDiagonal([kl.Kronecker(positive(3, seed=i), positive(5, seed=i)) for i in range(3)])
    A = kl.LowRank(kl.VStack(ROOTS)).damped(0.5)
    B = kl.two_level(A, kl.assume(K, "pd").inverse(), kl.coarse.nicolaides(K), "BNN")
    assert lines(B) == [
        "TwoLevel(45×45, numpy float64, pd) BNN 4.7 kiB in all",
        "├─ Sum(45×45, pd)",
        "│  ├─ LowRank(45×45, psd) rank ≤ 20",
        "│  │  ├─ VStack(45×20)",
        "│  │  │  ├─ FisherRoot(15×20) 1.2 kiB",
        "│  │  │  ├─ FisherRoot(15×20) 1.2 kiB",
        "│  │  │  └─ FisherRoot(15×20) 1.2 kiB",
        "│  │  └─ Identity(20×20, pd)",
        "│  └─ Scaled(45×45, pd) by 0.5",
        "│     └─ Identity(45×45, pd)",
        "├─ BlockDiagonal(45×45, pd)",
        "│  └─ 3 × Kronecker(15×15, pd)",
        "│     ├─ Dense(3×3, pd) 216 B",
        "│     └─ Dense(5×5, pd) 600 B",
        "└─ BlockDiagonal(45×3)",
        "   └─ 3 × Kronecker(15×1)",
        "      ├─ Dense(3×1) 72 B",
        "      └─ Dense(5×1) 120 B",
    ]


def test_a_part_that_is_held_twice_is_counted_once():
    a = positive(4)
    A = Bare(a)
    assert lines(Product(A, A)) == [
        "Product(4×4, numpy float64) 128 B in all",
        "├─ Bare(4×4) 128 B",
        "└─ Bare(4×4) (shared)",
    ]
    assert lines(Sum(A, Bare(a)))[-1] == "└─ Bare(4×4) (shared)"
    inner = Product(A, A)
    assert lines(Sum(inner, inner))[-1] == "└─ Product(4×4) (shared)"
    assert lines(kl.KhatriRao(a, a)) == ["KhatriRao(16×4, numpy float64) 128 B in all"]


def test_depth_and_width_cut_and_count():
    V = kl.VStack([kl.Kronecker(np.ones((1, 2)), np.ones((1, 2))) for _ in range(64)])
    assert lines(V, width=3, depth=1) == [
        "VStack(64×4, numpy float64) 2.0 kiB in all",
        "├─ Kronecker(1×4)",
        "│  └─ … 2 more",
        "├─ Kronecker(1×4)",
        "│  └─ … 2 more",
        "├─ Kronecker(1×4)",
        "│  └─ … 2 more",
        "└─ … 61 more",
    ]
    assert lines(V, depth=0) == ["VStack(64×4, numpy float64) 2.0 kiB in all", "└─ … 64 more"]
    assert lines(V)[-1] == "└─ … 54 more"
    assert len(lines(V, width=64)) == 1 + 64 * 3
    for wrong in ({"depth": -1}, {"width": -1}):
        with pytest.raises(ValueError, match="not negative"):
            kl.tree(V, **wrong)


def test_the_kind_stands_where_it_changes():
    A = kl.Dense(STRICT_DEVICE.asarray(normal((2, 2), "complex64")))
    first, *below = lines(A @ kl.Kronecker(A))
    assert "array_api_strict complex64 on" in first
    assert not any("complex64" in line for line in below)


def test_other_libraries():
    if TORCH in installed():
        assert lines(kl.Dense(TORCH.asarray(np.eye(2), "float32"))) == [
            "Dense(2×2, torch float32, self-adjoint) 16 B in all"
        ]


def test_arrays_are_taken():
    assert lines(np.ones((2, 3))) == ["Dense(2×3, numpy float64) 48 B in all"]
    with pytest.raises(TypeError, match="expected an operator or an array"):
        kl.tree("text")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 kiB"),
        (1024**2 - 1, "1.0 MiB"),
        (3 * 2**19, "1.5 MiB"),
        (2**30, "1.0 GiB"),
        (2**42, "4.0 TiB"),
        (2**52, "4096.0 TiB"),
    ],
)
def test_units(size, text):
    assert in_units(size) == text


class Reader(HTMLParser):
    """Checks that tags are closed in order, and collects the text."""

    def __init__(self, source):
        super().__init__()
        self.open, self.deepest, self.words = [], 0, []
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.deepest = max(self.deepest, self.open.count("details"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@given(strategies.operators())
def test_a_notebook_shows_the_same_lines(twin):
    op = twin.op
    bare = [re.sub("^[│├└─ ]*", "", line) for line in lines(op)]
    for shown in (kl.tree(op), op):
        reader = Reader(shown._repr_html_())
        assert reader.words == bare
    assert reader.deepest <= len(bare)
    assert repr(kl.tree(op)) == str(kl.tree(op))
    assert "\n" not in repr(op)
    assert len(repr(op)) <= 200


def test_a_notebook_is_not_fed_tags():
    odd = type("Odd<script>", (Bare,), {})(np.eye(2))
    assert "<script>" not in odd._repr_html_()
    assert "Odd&lt;script&gt;(2×2, numpy float64)" in odd._repr_html_()


def test_the_one_line_is_cut():
    many = Product(*[kl.KhatriRao(np.ones((1, 2)), np.ones((2, 2)))] * 60)
    assert repr(many).endswith("KhatriRao(2×2), …)")
    assert len(repr(many)) <= 200
    deep = Bare(np.eye(2))
    for _ in range(40):
        deep = Product(Sum(kl.Kronecker(deep), 1e-9 * deep), kl.Kronecker(2.5 * deep, np.eye(1)))
    assert len(repr(deep)) <= 200
    assert len(lines(deep, depth=3)) < 40
    assert len(repr(kl.Kronecker(*[np.eye(2)] * 50))) <= 200
