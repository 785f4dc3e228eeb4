import pytest
import torch
from torch import nn

from genimg_course.training.watching import moves, read_accuracy


def test_moves_are_norms_of_changes_over_all_parameters():
    layer, other = nn.Linear(2, 3), nn.Linear(1, 1)

    def step():
        with torch.no_grad():
            layer.weight[0, 0] += 3.0
            layer.bias[2] -= 4.0

    moved = moves(step, {"layer": layer, "other": other})
    assert moved["layer"].item() == pytest.approx(5.0, rel=1e-5)
    assert moved["other"].item() == 0
    assert not moved["layer"].requires_grad


def test_moves_run_the_step_once_and_ignore_running_statistics():
    calls, norm = [], nn.BatchNorm1d(3)
    moved = moves(lambda: calls.append(norm(torch.randn(4, 3))), {"norm": norm})
    assert len(calls) == 1
    assert moved["norm"].item() == 0


@pytest.mark.parametrize(
    "accuracy, moved, fresh, verdict",
    [
        (0.95, 0.1, 0.95, 0),
        (0.30, 0.1, 0.50, 0),
        (0.52, 0.1, 0.48, 1),
        (0.50, 0.0, 0.50, 1),
        (0.50, 0.0, 0.99, 2),
        (0.50, 0.1, 0.99, 3),
        (0.46, 0.1, 0.60, 3),
    ],
)
def test_an_accuracy_of_one_half_has_three_readings(accuracy, moved, fresh, verdict):
    given = (torch.tensor([value]) for value in (accuracy, moved, fresh))
    assert read_accuracy(*given).tolist() == [verdict]


def test_the_tolerance_decides_what_counts_as_one_half():
    run = torch.tensor([0.6]), torch.tensor([0.1]), torch.tensor([0.6])
    assert read_accuracy(*run).tolist() == [0]
    assert read_accuracy(*run, tolerance=0.2).tolist() == [1]
    assert read_accuracy(*run).dtype == torch.float32


def test_impossible_accuracies_are_refused():
    one = torch.ones(1)
    with pytest.raises(ValueError, match="accuracy spans"):
        read_accuracy(2 * one, one, one)
    with pytest.raises(ValueError, match="shapes differ"):
        read_accuracy(one, one, torch.ones(2))
