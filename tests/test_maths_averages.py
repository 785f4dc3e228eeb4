import pytest
import torch

from genimg_course.maths import average_state, average_weights, warm_decay


def test_the_decay_warms_up_to_its_value():
    assert [warm_decay(n, decay=0.998) for n in (0, 8)] == pytest.approx([0.1, 0.5])
    assert warm_decay(100_000, decay=0.998) == 0.998


def test_floating_point_numbers_are_blended_and_whole_numbers_copied():
    mean = {"w": torch.tensor([1.0, 2.0]), "count": torch.tensor(3)}
    now = {"w": torch.tensor([3.0, -2.0]), "count": torch.tensor(8)}
    found = average_state(mean, now, 0, decay=0.9)
    torch.testing.assert_close(found["w"], torch.tensor([2.8, -1.6]))
    assert found["count"] == 8 and found["count"] is not now["count"]
    assert mean["w"].tolist() == [1.0, 2.0] and now["w"].tolist() == [3.0, -2.0]


def test_names_must_agree():
    with pytest.raises(ValueError, match="bias"):
        average_state({"w": torch.ones(1)}, {"w": torch.ones(1), "bias": torch.ones(1)}, 0)


def test_the_weights_are_those_of_the_recursion():
    values = torch.randn(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean = 0.0
    for value in values:
        mean = 0.8 * mean + 0.2 * value
    torch.testing.assert_close(average_weights(40, decay=0.8) @ values.flip(0), mean)
    assert average_weights(3, decay=0.5).tolist() == [0.5, 0.25, 0.125]
