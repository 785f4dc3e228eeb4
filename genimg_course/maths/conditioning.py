"""Conditioning on a class: how a label enters a generator, a discriminator and a posterior."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_labels, check_matrix, check_range, check_same_shape

__all__ = ["condition", "information_bound", "prior_shift", "projection_logit"]


def condition(z: Tensor, y: Tensor, table: Tensor) -> Tensor:
    """Join each code with the vector of its class.

    Args:
        z: noise, ``(B, Z)``.
        y: classes, integers in ``0 .. K - 1``, ``(B,)``.
        table: one learned vector per class, ``(K, E)``.

    Returns:
        Generator input, ``(B, Z + E)``: the code, then the class vector.

    Raises:
        ValueError: if a label is not an integer in range or the counts differ.

    Source:
        Mirza and Osindero (2014), section 3.2, https://arxiv.org/abs/1411.1784
    """
    check_matrix(z=z, table=table)
    check_labels(y, classes=len(table), count=len(z))
    return torch.cat([z, table[y]], dim=1)  # (B, Z + E)


def projection_logit(
    features: Tensor, y: Tensor, weight: Tensor, bias: Tensor, class_vectors: Tensor
) -> Tensor:
    r"""Return the logit of a projection discriminator.

    .. math:: w^\top \phi(x) + b + v_y^\top \phi(x)

    The first two terms ask "is this an image?", the last one "is it an image of class y?".

    Args:
        features: :math:`\phi(x)`, ``(B, F)``.
        y: classes, integers in ``0 .. K - 1``, ``(B,)``.
        weight: :math:`w`, ``(F,)``.
        bias: :math:`b`, a scalar tensor.
        class_vectors: one row :math:`v_y` per class, ``(K, F)``.

    Returns:
        Logits, ``(B,)``.

    Raises:
        ValueError: if a label is not an integer in range, or counts or widths differ.

    Source:
        Miyato and Koyama (2018), equations 3 to 6, https://arxiv.org/abs/1802.05637
    """
    check_matrix(features=features, class_vectors=class_vectors)
    check_labels(y, classes=len(class_vectors), count=len(features))
    if not features.shape[1:] == weight.shape == class_vectors.shape[1:] or bias.ndim:
        raise ValueError(
            f"widths differ: features {tuple(features.shape)}, weight {tuple(weight.shape)}, "
            f"bias {tuple(bias.shape)}, class_vectors {tuple(class_vectors.shape)}"
        )
    return features @ weight + bias + (class_vectors[y] * features).sum(dim=1)


def prior_shift(posterior: Tensor, old_prior: Tensor, new_prior: Tensor) -> Tensor:
    r"""Correct class posteriors for new class frequencies.

    .. math:: p_2(y \mid x) \propto p_1(y \mid x)\, \frac{p_2(y)}{p_1(y)}

    It holds when the images of each class stay the same and only the frequencies change.

    Args:
        posterior: probabilities :math:`p_1(y \mid x)`, ``(B, K)``.
        old_prior: class frequencies of the training set, positive, ``(K,)``.
        new_prior: class frequencies in use, ``(K,)``.

    Returns:
        Probabilities :math:`p_2(y \mid x)`, ``(B, K)``.

    Raises:
        ValueError: if the numbers of classes differ or an old frequency is not positive.

    Source:
        Saerens, Latinne and Decaestecker (2002),
        https://doi.org/10.1162/089976602753284446
    """
    check_matrix(posterior=posterior)
    if not posterior.shape[1:] == old_prior.shape == new_prior.shape:
        raise ValueError(
            f"numbers of classes differ: posterior {tuple(posterior.shape)}, "
            f"old_prior {tuple(old_prior.shape)}, new_prior {tuple(new_prior.shape)}"
        )
    if not bool((old_prior > 0).all()):
        raise ValueError(
            f"old_prior has a class of frequency {old_prior.min().item():g}: it was never seen"
        )
    check_range("new_prior", new_prior, 0.0, 1.0)
    odds = posterior * (new_prior / old_prior)
    return odds / odds.sum(dim=1, keepdim=True)


def information_bound(joint: Tensor, guess: Tensor) -> Tensor:
    r"""Return a lower bound on what images tell about their classes, in nats.

    .. math:: I(y; x) \ge \mathbb E \log Q(y \mid x) + H(y)

    An auxiliary classifier :math:`Q` that is trained with the generator maximises it. The bound is
    tight where ``Q`` is the posterior; its maximum rewards images whose class is plain, so that
    doubtful ones are avoided even where the data hold them.

    Args:
        joint: probability of each class with each image, ``(K, N)``, positive, with sum 1.
        guess: :math:`Q(y \mid x)`, ``(N, K)``, positive, rows with sum 1.

    Returns:
        A scalar.

    Raises:
        ValueError: if the shapes do not fit together.

    Source:
        Chen et al. (2016), equation 5, https://arxiv.org/abs/1606.03657
    """
    check_same_shape(joint=joint, guess=guess.T)
    classes = joint.sum(dim=1)  # (K,)
    return (joint * guess.T.log()).sum() - (classes * classes.log()).sum()
