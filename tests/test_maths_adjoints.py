import pytest
import torch
import torch.nn.functional as F

from genimg_course.maths import convolution_backward, transposed_convolution


@pytest.mark.parametrize(
    ("n", "k", "s", "p", "d"), [(9, 3, 2, 1, 1), (8, 4, 2, 1, 1), (11, 2, 3, 0, 2)]
)
def test_both_directions_agree_with_torch(n, k, s, p, d):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(n, generator=rng, dtype=torch.float64, requires_grad=True)
    kernel = torch.randn(k, generator=rng, dtype=torch.float64, requires_grad=True)
    options = {"stride": s, "padding": p, "dilation": d}
    y = F.conv1d(x[None, None], kernel[None, None], **options)[0, 0]
    grad_y = torch.randn(len(y), generator=rng, dtype=torch.float64)
    expected = torch.autograd.grad(y, (x, kernel), grad_y)
    x, kernel = x.detach(), kernel.detach()
    for found, wanted in zip(
        convolution_backward(x, kernel, grad_y, **options), expected, strict=True
    ):
        torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(transposed_convolution(grad_y, kernel, n, **options), expected[0])


def test_overlapping_stretches_add_up():
    y, kernel = torch.ones(3), torch.ones(3)
    assert transposed_convolution(y, kernel, 7, stride=2).tolist() == [1, 1, 2, 1, 2, 1, 1]


def test_a_row_of_the_wrong_length_is_named():
    with pytest.raises(ValueError, match=r"\(4,\).*\(5,\) for 7 pixels"):
        transposed_convolution(torch.ones(4), torch.ones(3), 7)
