import pytest
import torch
from scipy.linalg import circulant

from genimg_course.maths import augmented_law, recovered_law, rotation_operator

LAW = torch.tensor([0.7, 0.1, 0.15, 0.05], dtype=torch.float64)


@pytest.mark.parametrize("chance", [0.0, 0.4, 0.8, 1.0])
def test_the_operator_is_a_circulant_matrix(chance):
    row = [1 - chance + chance / 4] + [chance / 4] * 3
    expected = torch.from_numpy(circulant(row))
    torch.testing.assert_close(rotation_operator(chance), expected)


def test_a_simulation_finds_the_unrotated_law_again():
    rng = torch.Generator().manual_seed(0)
    count, chance = 200_000, 0.8
    stands = torch.multinomial(LAW, count, replacement=True, generator=rng)
    turned = torch.rand(count, generator=rng) < chance
    turns = torch.randint(4, (count,), generator=rng) * turned
    seen = torch.bincount((stands + turns) % 4, minlength=4) / count
    torch.testing.assert_close(seen.double(), augmented_law(LAW, chance), atol=0.005, rtol=0)
    back = recovered_law(seen.double(), chance)
    assert 0.5 * (back - LAW).abs().sum() < 0.02


def test_after_turning_every_image_all_laws_are_even():
    even = torch.full((4,), 0.25, dtype=torch.float64)
    torch.testing.assert_close(augmented_law(LAW, 1.0), even)


def test_the_type_of_the_law_is_kept():
    assert augmented_law(LAW.float(), 0.5).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: rotation_operator(1.2), "probability is 1.2"),
        (lambda: rotation_operator(0.5, turns=1), "turns is 1"),
        (lambda: augmented_law(LAW * 2, 0.5), "1.4"),
        (lambda: recovered_law(LAW, 1.0), "probability is 1"),
        (lambda: recovered_law(LAW, -0.5), "probability is -0.5"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
