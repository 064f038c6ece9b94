"""Law of the patches: a convolution is the kernel, as a matrix, times them."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources.pytorch._patches import patches  # noqa: E402

CONVOLUTIONS = [
    nn.Conv1d(2, 3, 3, stride=2, padding=1, dilation=2),
    nn.Conv1d(2, 3, 4, padding="same"),
    nn.Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(2, 0), dilation=(2, 1)),
    nn.Conv2d(2, 3, (2, 4), padding="same", dilation=(1, 2), padding_mode="replicate"),
    nn.Conv2d(2, 3, 3, padding="valid"),
    nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode="circular"),
    nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"),
    nn.Conv3d(2, 3, (2, 3, 1), stride=(1, 2, 1), padding=(1, 1, 0)),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("module", CONVOLUTIONS, ids=str)
def test_a_convolution_is_the_kernel_times_patches(module):
    module = module.double()
    x = torch.randn(2, 2, *[7, 6, 5][: len(module.kernel_size)], dtype=torch.float64)
    z = patches(module, x) @ module.weight.flatten(1).T + module.bias
    torch.testing.assert_close(z.mT.reshape(module(x).shape), module(x))
