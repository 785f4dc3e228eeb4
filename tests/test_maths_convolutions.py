import itertools

import pytest
import torch

from genimg_course.maths import (
    conv_size,
    convolution_matrix,
    has_checkerboard,
    overlap_counts,
    transposed_conv_size,
)

OPTIONS = list(itertools.product((1, 3, 5), (1, 2, 3), (0, 2), (1, 2)))


@pytest.mark.parametrize(("k", "s", "p", "d"), OPTIONS)
def test_sizes_agree_with_torch_layers_in_two_dimensions(k, s, p, d):
    options = {"kernel_size": k, "stride": s, "padding": p, "dilation": d}
    y = torch.nn.Conv2d(1, 1, **options)(torch.zeros(1, 1, 11, 14))
    assert tuple(y.shape[2:]) == (conv_size(11, **options), conv_size(14, **options))
    x = torch.nn.ConvTranspose2d(1, 1, **options)(torch.zeros(1, 1, 7, 9))
    expected = transposed_conv_size(7, **options), transposed_conv_size(9, **options)
    assert tuple(x.shape[2:]) == expected


def test_four_two_one_halves_and_doubles():
    options = {"kernel_size": 4, "stride": 2, "padding": 1}
    assert conv_size(28, **options) == 14 and transposed_conv_size(14, **options) == 28


def test_three_doublings_of_seven_are_fifty_six():
    size = 7
    for _ in range(3):
        size = transposed_conv_size(size, kernel_size=5, stride=2, padding=2, output_padding=1)
    assert size == 56


def test_the_matrix_convolves_and_keeps_the_type_of_the_kernel():
    kernel = torch.tensor([1.0, -2.0, 4.0])
    matrix = convolution_matrix(kernel, 5, stride=2, padding=1)
    expected = torch.tensor(
        [[-2.0, 4.0, 0.0, 0.0, 0.0], [0.0, 1.0, -2.0, 4.0, 0.0], [0.0, 0.0, 0.0, 1.0, -2.0]]
    )
    assert matrix.equal(expected) and matrix.dtype == torch.float32


def test_gradients_reach_the_kernel():
    kernel = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(
        lambda k: convolution_matrix(k, 6, stride=2, dilation=2), kernel.requires_grad_()
    )


def test_the_adjoint_does_not_undo_the_convolution():
    matrix = convolution_matrix(torch.tensor([0.5, 1.0, 0.5]), 6, padding=1)
    x = torch.arange(6.0)
    assert (matrix.T @ (matrix @ x) - x).abs().max() > 1


@pytest.mark.parametrize(("k", "s", "inner"), [(5, 2, {2, 3}), (4, 2, {2}), (2, 3, {0, 1})])
def test_counts_inside_a_row(k, s, inner):
    counts = overlap_counts(20, kernel_size=k, stride=s)
    assert len(counts) == s * 19 + k and int(counts.sum()) == 20 * k
    assert set(counts[k:-k].tolist()) == inner
    assert has_checkerboard(kernel_size=k, stride=s) == (len(inner) > 1)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: conv_size(4, kernel_size=5), "kernel of 5"),
        (lambda: conv_size(0, kernel_size=1), "n is 0"),
        (lambda: conv_size(4, kernel_size=2, padding=-1), "padding is -1"),
        (lambda: transposed_conv_size(4, kernel_size=2, stride=0), "stride is 0"),
        (lambda: transposed_conv_size(4, kernel_size=2, output_padding=1), "output_padding is 1"),
        (lambda: transposed_conv_size(1, kernel_size=2, padding=2), "padding 2 leaves -2"),
        (lambda: convolution_matrix(torch.ones(2, 2), 4), "(2, 2)"),
        (lambda: convolution_matrix(torch.ones(5), 2, padding=1), "kernel of 5"),
        (lambda: convolution_matrix(torch.ones(2), 4, stride=0), "stride is 0"),
        (lambda: overlap_counts(3, kernel_size=0, stride=1), "kernel_size is 0"),
        (lambda: has_checkerboard(kernel_size=3, stride=0), "stride is 0"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
