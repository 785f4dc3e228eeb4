import pytest
import torch

from genimg_course.maths import route_condition
from genimg_course.models import CVAE


def test_the_course_model_feeds_its_networks_as_the_routes_say():
    torch.manual_seed(0)
    model = CVAE(latent_dim=3, size=16, classes=4, width=4).eval()
    x, z, y = torch.rand(5, 1, 16, 16) * 2 - 1, torch.randn(5, 3), torch.tensor([0, 3, 1, 2, 3])
    seen = route_condition(x, z, y, classes=4)
    mu, logvar = model.encoder(seen["encoder"]).chunk(2, dim=1)
    torch.testing.assert_close((mu, logvar), model.encode(x, y))
    torch.testing.assert_close(model.decoder(seen["decoder"]), model.decode(z, y))


def test_routes_keep_the_dtype_of_their_own_input():
    seen = route_condition(
        torch.zeros(1, 1, 2, 2), torch.zeros(1, 3).double(), torch.tensor([1]), classes=2
    )
    assert (seen["encoder"].dtype, seen["decoder"].dtype) == (torch.float32, torch.float64)


@pytest.mark.parametrize("y", [torch.tensor([0, 2]), torch.tensor([0]), torch.tensor([0.0, 1.0])])
def test_labels_must_fit(y):
    with pytest.raises(ValueError):
        route_condition(torch.zeros(2, 1, 2, 2), torch.zeros(2, 3), y, classes=2)


def test_pictures_and_codes_must_be_as_many():
    with pytest.raises(ValueError, match="3"):
        route_condition(torch.zeros(3, 1, 2, 2), torch.zeros(2, 3), torch.tensor([0, 1]), classes=2)
