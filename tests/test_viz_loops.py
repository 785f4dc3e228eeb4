"""The diagram of the training loop has the order of the course's steps."""

import torch
import torch.nn.functional as F
from torch import nn

from genimg_course.training import classifier_step
from genimg_course.viz import loops


def test_the_five_steps_come_in_the_order_of_their_numbers(monkeypatch):
    said = []

    def telling(name, function):
        return lambda *given, **options: (said.append(name), function(*given, **options))[1]

    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.register_forward_hook(lambda *_: said.append("network"))
    monkeypatch.setattr(F, "cross_entropy", telling("loss", F.cross_entropy))
    monkeypatch.setattr(optimizer, "zero_grad", telling("zero_grad", optimizer.zero_grad))
    monkeypatch.setattr(optimizer, "step", telling("optimiser", optimizer.step))
    backward = telling("backward", torch.Tensor.backward)

    x, y = torch.randn(4, 3), torch.tensor([0, 1, 0, 1])
    classifier_step(model, optimizer, x, y, backward=backward)
    numbered = sorted(n.text for n in loops.TRAINING.nodes.values() if n.text[0].isdigit())
    assert said == [text.split()[1] for text in numbered]
    assert len(said) == 5


def test_the_gradient_reaches_the_network_and_its_store():
    assert loops.TRAINING.with_gradient == {"network", "grad"}
