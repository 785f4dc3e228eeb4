import math

import pytest
import torch

from genimg_course.maths import condition, information_bound, prior_shift, projection_logit


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


Y = torch.tensor([2, 0, 2, 1])


def test_condition_appends_the_vector_of_the_class_to_the_code():
    z, table = torch.randn(4, 3), torch.randn(3, 2)
    expected = [[*z[i].tolist(), *table[int(Y[i])].tolist()] for i in range(4)]
    torch.testing.assert_close(condition(z, Y, table), torch.tensor(expected))


def test_condition_teaches_only_the_classes_in_the_batch():
    table = torch.randn(4, 2, requires_grad=True)
    condition(torch.randn(4, 3), Y, table).sum().backward()
    assert table.grad[:, 0].tolist() == [1, 1, 2, 0]


def test_projection_logit_is_the_written_formula():
    features, weight, bias, rows = (
        torch.randn(shape, dtype=torch.float64) for shape in [(4, 5), (5,), (), (3, 5)]
    )
    expected = [
        sum((weight[f] + rows[Y[i], f]) * features[i, f] for f in range(5)) + bias for i in range(4)
    ]
    torch.testing.assert_close(
        projection_logit(features, Y, weight, bias, rows), torch.stack(expected)
    )


def posteriors(likelihood, prior):
    """Bayes' rule, written with a loop: ``likelihood[x, y]`` is ``p(x | y)``."""
    joint = torch.stack([likelihood[:, y] * prior[y] for y in range(len(prior))], dim=1)
    return joint / joint.sum(dim=1, keepdim=True)


def test_prior_shift_gives_what_bayes_gives_with_the_new_prior():
    likelihood = torch.rand(6, 3, dtype=torch.float64)
    old, new = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.0, 0.9]], dtype=torch.float64)
    shifted = prior_shift(posteriors(likelihood, old), old, new)
    torch.testing.assert_close(shifted, posteriors(likelihood, new))


def test_prior_shift_back_again_changes_nothing():
    posterior = torch.rand(6, 3).softmax(dim=1)
    old, new = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    there = prior_shift(posterior, old, new)
    assert (there - posterior).abs().max() > 0.1
    torch.testing.assert_close(prior_shift(there, new, old), posterior)


Z, TABLE, W, B = torch.zeros(4, 3), torch.zeros(3, 3), torch.zeros(3), torch.tensor(0.0)
BAD_LABELS = [
    (torch.tensor([0, 1, 2, 3]), "[0, 3]"),
    (torch.tensor([0, 1, 2, -1]), "[-1, 2]"),
    (torch.tensor([0.0, 1.0, 2.0, 2.0]), "float32"),
    (torch.tensor([True, False, True, True]), "bool"),
    (torch.tensor([0, 1, 2, 2], dtype=torch.uint8), "uint8"),
    (torch.tensor([[0, 1, 2, 2]]), "(1, 4)"),
    (torch.tensor([0, 1, 2]), "3 labels for 4"),
]


@pytest.mark.parametrize(("y", "named"), BAD_LABELS)
@pytest.mark.parametrize(
    "function", [lambda y: condition(Z, y, TABLE), lambda y: projection_logit(Z, y, W, B, TABLE)]
)
def test_bad_labels_are_named(function, y, named):
    with pytest.raises(ValueError) as error:
        function(y)
    assert named in str(error.value)


THIRDS, FOURTHS = torch.full((3,), 1 / 3), torch.full((4,), 1 / 4)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: condition(Z[0], Y[:3], TABLE), "(3,)"),
        (lambda: condition(Z, Y, TABLE[0]), "(3,)"),
        (lambda: projection_logit(Z[0], Y, W, B, TABLE), "(3,)"),
        (lambda: projection_logit(Z, Y, W[:, None], B, TABLE), "(3, 1)"),
        (lambda: projection_logit(Z, Y, W, B.expand(4), TABLE), "(4,)"),
        (lambda: projection_logit(Z, Y, W, B, TABLE[:, :1]), "(3, 1)"),
        (lambda: prior_shift(Z, THIRDS, FOURTHS), "(4,)"),
        (lambda: prior_shift(Z, FOURTHS, FOURTHS), "(4,)"),
        (lambda: prior_shift(Z[0], THIRDS, THIRDS), "(3,)"),
        (lambda: prior_shift(Z, torch.tensor([0.5, 0.5, 0.0]), THIRDS), "frequency 0"),
        (lambda: prior_shift(Z, THIRDS, torch.tensor([0.5, 1.5, -1.0])), "-1"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)


def test_information_bound_of_certain_classes_is_their_entropy():
    joint = torch.tensor([[0.5, 1e-12], [1e-12, 0.5]], dtype=torch.float64)
    bound = information_bound(joint, (joint / joint.sum(dim=0)).T)
    assert bound.item() == pytest.approx(math.log(2), abs=1e-9)


def test_information_bound_of_a_guess_that_knows_nothing_is_zero():
    joint = torch.tensor([[0.1, 0.4], [0.3, 0.2]], dtype=torch.float64)
    guess = torch.full((2, 2), 0.5, dtype=torch.float64)
    assert information_bound(joint, guess).item() == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="shapes differ"):
        information_bound(joint, guess[:1])
