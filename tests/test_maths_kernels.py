import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from genimg_course.maths import polynomial_kernel, squared_mmd


def sets(seed=0, count=7, other=7, width=3):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(count, width, generator=rng, dtype=torch.float64)
    return x, 1.4 * torch.randn(other, width, generator=rng, dtype=torch.float64) + 0.3


def test_agrees_with_torchmetrics_for_sets_of_one_size():
    x, y = sets()
    expected = poly_mmd(x, y, degree=3, gamma=None, coef=1.0)
    torch.testing.assert_close(squared_mmd(x, y), expected)


def test_the_kernel_of_two_vectors_by_hand():
    x, y = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -1.0], [0.0, 0.0]])
    assert polynomial_kernel(x, y).tolist() == [[pytest.approx(1.5**3), 1.0]]


def test_agrees_with_means_over_all_pairs_for_sets_of_different_sizes():
    x, y = sets(count=4, other=6)
    k = [[((a @ b) / 3 + 1) ** 3 for b in y] for a in x]
    inside = [
        [((a @ b) / 3 + 1) ** 3 for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
        for z in (x, y)
    ]
    expected = sum(sum(pairs) / len(pairs) for pairs in inside) - 2 * sum(map(sum, k)) / 24
    assert squared_mmd(x, y).item() == pytest.approx(expected.item())


def test_one_law_gives_zero_on_average_and_the_biased_form_does_not():
    rng = torch.Generator().manual_seed(0)
    found = {True: [], False: []}
    for _ in range(400):
        x, y = torch.randn(2, 20, 2, generator=rng, dtype=torch.float64)
        for unbiased in found:
            found[unbiased].append(squared_mmd(x, y, unbiased=unbiased))
    free, biased = (torch.stack(values) for values in found.values())
    error = free.std() / 20
    assert abs(free.mean()) < 4 * error
    assert biased.mean() > 20 * error
    assert (biased >= 0).all() and (free < 0).any()


def test_the_biased_form_of_a_set_and_itself_is_zero():
    x, _ = sets()
    assert squared_mmd(x, x.flip(0), unbiased=False).item() == pytest.approx(0, abs=1e-12)


X = torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: polynomial_kernel(X, X[:, :1]), "2 columns, y has 1"),
        (lambda: polynomial_kernel(X[0], X), "(2,)"),
        (lambda: squared_mmd(X[:1], X), "1 and 3"),
        (lambda: squared_mmd(X, X * torch.nan), "y has 6"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
