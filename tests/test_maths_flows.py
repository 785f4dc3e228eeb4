import pytest
import torch
from torch.distributions import AffineTransform

from genimg_course.maths import coupling_forward, coupling_inverse


@pytest.fixture
def pieces():
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(4, d, generator=rng, dtype=torch.float64) for d in (5, 2, 2)]


def test_forward_agrees_with_torch_distributions(pieces):
    x, log_scale, shift = pieces
    move = AffineTransform(shift, log_scale.exp())
    result = coupling_forward(x, log_scale, shift)
    assert torch.equal(result["z"][:, :3], x[:, :3])
    torch.testing.assert_close(result["z"][:, 3:], move(x[:, 3:]))
    expected = move.log_abs_det_jacobian(x[:, 3:], None).sum(dim=1)
    torch.testing.assert_close(result["log_det"], expected)


def test_inverse_undoes_forward_and_its_determinant(pieces):
    x, log_scale, shift = pieces
    there = coupling_forward(x, log_scale, shift)
    back = coupling_inverse(there["z"], log_scale, shift)
    torch.testing.assert_close(back["x"], x)
    torch.testing.assert_close(back["log_det"], -there["log_det"])


@pytest.mark.parametrize("function", [coupling_forward, coupling_inverse])
@pytest.mark.parametrize(
    ("rows", "columns", "shift", "named"),
    [(4, 5, (4, 5), "(4, 5)"), (3, 2, (3, 2), "(3, 2)"), (4, 2, (4, 1), "(4, 1)")],
)
def test_bad_input_is_named(function, rows, columns, shift, named):
    with pytest.raises(ValueError) as error:
        function(torch.zeros(4, 5), torch.zeros(rows, columns), torch.zeros(shift))
    assert named in str(error.value)
