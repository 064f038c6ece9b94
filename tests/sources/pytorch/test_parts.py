"""Which parameters make up a layer."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources.pytorch._parts import alone, parts_of  # noqa: E402
from tests.sources.pytorch.nets import net  # noqa: E402


def names(model):
    return {part.name: part.parameters for part in parts_of(model)}


def test_a_weight_and_its_bias_are_one_part():
    model, _ = net("mlp")
    assert names(model) == {"0": ("0.weight", "0.bias"), "2": ("2.weight", "2.bias")}
    assert names(nn.Linear(2, 2)) == {"": ("weight", "bias")}
    assert names(nn.Linear(2, 2, bias=False)) == {"weight": ("weight",)}


def test_a_shared_weight_with_different_biases_is_a_part_of_its_own():
    model, _ = net("tied")
    found = {part.name: [(role.path, role.slot) for role in part.roles] for part in parts_of(model)}
    assert found == {
        "first.weight": [("first", "weight"), ("second", "weight")],
        "first.bias": [("first", "bias"), ("third", "bias")],
        "third.weight": [("third", "weight")],
    }


def test_modules_that_share_both_are_one_part():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight, model[1].bias = model[0].weight, model[0].bias
    (part,) = parts_of(model)
    assert part.parameters == ("0.weight", "0.bias")
    assert [role.path for role in part.roles] == ["0", "1"]


def test_the_table_of_an_embedding_stands_as_the_linear_layer_that_shares_it():
    tied, alone_ = parts_of(net("tied embedding")[0])[0], parts_of(net("embedding")[0])[0]
    assert (tied.name, tied.kind.order) == ("table.weight", "out-in")
    assert (alone_.name, alone_.kind.order) == ("table.weight", "in-out")


def test_groups_are_those_of_the_convolution():
    assert [part.groups for part in parts_of(net("grouped")[0])] == [2, 6, 1]
    one, two = nn.Conv1d(4, 4, 1, groups=2, bias=False), nn.Conv1d(2, 4, 1, bias=False)
    two.weight = one.weight
    (part,) = parts_of(nn.Sequential(one, two))
    assert (part.roles, part.kind) == ((), None)


def test_frozen_parameters_make_no_part():
    model, _ = net("mlp")
    model[0].bias.requires_grad_(False)
    model[2].weight.requires_grad_(False)
    assert names(model) == {"0.weight": ("0.weight",), "2.bias": ("2.bias",)}


def test_attention_has_one_weight_for_all_its_projections():
    assert names(nn.MultiheadAttention(4, 2)) == {
        "": ("in_proj_weight", "in_proj_bias"),
        "out_proj": ("out_proj.weight", "out_proj.bias"),
    }
    others = parts_of(nn.MultiheadAttention(4, 2, add_bias_kv=True, kdim=3, bias=False))
    assert [part.name for part in others if not part.roles] == [
        "q_proj_weight",
        "k_proj_weight",
        "v_proj_weight",
        "bias_k",
        "bias_v",
    ]


def test_parameters_of_other_modules_have_no_role():
    for part in parts_of(nn.Sequential(nn.Bilinear(2, 2, 2), nn.PReLU())):
        assert not part.roles
        assert part.kind is None
    assert alone("scale").parameters == ("scale",)


def test_an_embedding_that_writes_into_its_table_is_refused():
    with pytest.raises(ValueError, match=r"layer '0', Embedding.*: max_norm changes the weight"):
        parts_of(nn.Sequential(nn.Embedding(3, 2, max_norm=1.0)))
