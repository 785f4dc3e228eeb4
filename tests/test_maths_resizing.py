import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from genimg_course.maths import resize, resize_matrix, shrink


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_shrinking_is_average_pooling(factor):
    x = images(2, 3, 6, 12)
    torch.testing.assert_close(shrink(x, factor), F.avg_pool2d(x, factor))


@pytest.mark.parametrize("size", [(5, 7), (20, 9), (12, 16)])
def test_the_triangle_is_that_of_pillow(size):
    x = images(1, 1, 12, 16).float()
    picture = Image.fromarray(x[0, 0].numpy())
    known = np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR))
    assert np.allclose(resize(x, size)[0, 0].numpy(), known, atol=1e-5)


def test_a_grey_wall_stays_grey():
    torch.testing.assert_close(resize_matrix(13, 5).sum(dim=1), torch.ones(5).double())


def test_the_type_of_the_pictures_is_kept():
    assert resize(images(1, 1, 6, 6).float(), (4, 4)).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: shrink(images(1, 1, 6, 4), 3), "factor is 3"),
        (lambda: shrink(images(1, 1, 6, 4), 0), "factor is 0"),
        (lambda: resize_matrix(0, 4), "0 pixels"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
