import itertools

import pytest
import torch

from genimg_course.maths import packed, packed_total_variation, total_variation


def test_a_pack_of_one_is_the_law_itself():
    law = torch.tensor([0.2, 0.3, 0.5])
    torch.testing.assert_close(packed(law, 1), law)


def test_a_pack_agrees_with_the_outer_product():
    law = torch.tensor([0.2, 0.3, 0.5])
    expected = torch.einsum("i,j,k->ijk", law, law, law).flatten()
    torch.testing.assert_close(packed(law, 3), expected)


def test_packs_tell_a_collapsed_law_from_an_uneven_one():
    p = torch.full((10,), 0.1, dtype=torch.float64)
    collapsed = torch.tensor([0.125] * 8 + [0.0] * 2, dtype=torch.float64)
    uneven = torch.tensor([0.14] * 5 + [0.06] * 5, dtype=torch.float64)
    lost = [round(packed_total_variation(p, collapsed, m).item(), 2) for m in range(1, 6)]
    kept = [round(packed_total_variation(p, uneven, m).item(), 2) for m in range(1, 6)]
    assert lost == [0.2, 0.36, 0.49, 0.59, 0.67]
    assert kept == [0.2, 0.24, 0.28, 0.34, 0.34]


def test_larger_packs_never_hide_a_difference():
    p, q = torch.randn(2, 4, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    found = [packed_total_variation(p, q, m) for m in range(1, 5)]
    torch.testing.assert_close(found[0], total_variation(p, q))
    assert all(a < b for a, b in itertools.pairwise(found))


def test_an_empty_pack_is_refused():
    with pytest.raises(ValueError, match="count is 0"):
        packed(torch.tensor([1.0]), 0)
