"""Two-player games small enough to solve: how both players move near the point of balance."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = [
    "bilinear_matrix",
    "critical_gamma",
    "dirac_eigenvalues",
    "dirac_field",
    "dirac_jacobian",
    "dirac_round",
    "orbit",
    "spectral_radius",
]


def bilinear_matrix(step: float, *, alternating: bool = False) -> Tensor:
    r"""Return the matrix of one round of gradient play in ``min over x, max over y`` of ``x y``.

    .. math:: \begin{pmatrix} 1 & -h \\ h & 1 \end{pmatrix} \quad\text{or, alternating,}\quad
        \begin{pmatrix} 1 & -h \\ h & 1 - h^2 \end{pmatrix}

    Args:
        step: step size ``h`` of both players.
        alternating: let ``y`` answer the new ``x``; else both move at once.

    Returns:
        The matrix that maps ``(x, y)`` to the next ``(x, y)``, ``(2, 2)`` in float64.

    Source:
        Gidel et al. (2019), https://arxiv.org/abs/1807.04740
    """
    last = 1 - step**2 if alternating else 1.0
    return torch.tensor([[1.0, -step], [step, last]], dtype=torch.float64)


def dirac_field(
    theta: Tensor, psi: Tensor, *, gamma: float = 0.0, saturating: bool = False
) -> Tensor:
    r"""Return the direction in which both players of the Dirac-GAN move.

    The data are the single point 0, the generator is the single point ``theta``, and the
    discriminator's logit at ``x`` is ``psi x``.

    .. math:: \dot\theta = \psi\,\sigma(-\psi\theta), \qquad
        \dot\psi = -\theta\,\sigma(\psi\theta) - \gamma\psi

    Args:
        theta: place of the generated point, any shape.
        psi: slope of the discriminator, the same shape.
        gamma: weight of the penalty R1.
        saturating: the generator plays the zero-sum game, with ``sigma(psi theta)`` instead.

    Returns:
        Minus the gradient of each player's loss, ``(..., 2)``: first ``theta``, then ``psi``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Mescheder, Geiger and Nowozin (2018), section 2, https://arxiv.org/abs/1801.04406
    """
    check_same_shape(theta=theta, psi=psi)
    says_real = torch.sigmoid(psi * theta)
    pull = says_real if saturating else 1 - says_real
    return torch.stack([psi * pull, -theta * says_real - gamma * psi], dim=-1)


def dirac_jacobian(gamma: float, *, slope: float = 0.5) -> Tensor:
    r"""Return the Jacobian of the Dirac-GAN's field at the balance ``theta = psi = 0``.

    .. math:: \begin{pmatrix} 0 & f'(0) \\ -f'(0) & -\gamma \end{pmatrix}

    Args:
        gamma: weight of the penalty R1.
        slope: derivative ``f'(0)`` of the loss at a logit of zero; 1/2 for the cross-entropy.

    Returns:
        The matrix, ``(2, 2)`` in float64.

    Source:
        Mescheder, Geiger and Nowozin (2018), https://arxiv.org/abs/1801.04406
    """
    return torch.tensor([[0.0, slope], [-slope, -gamma]], dtype=torch.float64)


def dirac_eigenvalues(gamma: float, *, slope: float = 0.5) -> Tensor:
    r"""Return the eigenvalues of the Dirac-GAN with the penalty R1, at its balance.

    .. math:: \lambda = -\frac\gamma2 \pm \sqrt{\frac{\gamma^2}{4} - f'(0)^2}

    Args:
        gamma: weight of the penalty.
        slope: derivative ``f'(0)`` of the loss at a logit of zero; 1/2 for the cross-entropy.

    Returns:
        The eigenvalue with the minus sign, then that with the plus sign, ``(2,)`` in complex128.

    Source:
        Mescheder, Geiger and Nowozin (2018), https://arxiv.org/abs/1801.04406

    >>> dirac_eigenvalues(1.0)
    tensor([-0.5000+0.j, -0.5000+0.j], dtype=torch.complex128)
    """
    inside = torch.tensor(gamma**2 / 4 - slope**2, dtype=torch.complex128)
    root = inside.sqrt()
    return torch.stack([-gamma / 2 - root, -gamma / 2 + root])


def critical_gamma(slope: float = 0.5) -> float:
    r"""Return the weight of R1 with which the Dirac-GAN comes to rest soonest, without circling.

    .. math:: \gamma = 2\,|f'(0)|

    Args:
        slope: derivative ``f'(0)`` of the loss at a logit of zero; 1/2 for the cross-entropy.

    >>> critical_gamma()
    1.0
    """
    return 2 * abs(slope)


def dirac_round(
    rate_g: float,
    rate_d: float,
    *,
    steps_g: int = 1,
    steps_d: int = 1,
    gamma: float = 0.0,
    slope: float = 0.5,
) -> Tensor:
    r"""Return the matrix of one round of training near the Dirac-GAN's balance.

    First the discriminator takes its steps, then the generator answers with its own:

    .. math:: \begin{pmatrix} 1 & h_G f'(0) \\ 0 & 1 \end{pmatrix}^{k_G}
        \begin{pmatrix} 1 & 0 \\ -h_D f'(0) & 1 - h_D \gamma \end{pmatrix}^{k_D}

    Args:
        rate_g: the generator's learning rate ``h_G``.
        rate_d: the discriminator's learning rate ``h_D``.
        steps_g: the generator's steps in a round, ``k_G``.
        steps_d: the discriminator's steps in a round, ``k_D``.
        gamma: weight of the penalty R1.
        slope: derivative ``f'(0)`` of the loss at a logit of zero; 1/2 for the cross-entropy.

    Returns:
        The matrix that maps ``(theta, psi)`` to the next pair, ``(2, 2)`` in float64.

    Raises:
        ValueError: if a number of steps is negative.
    """
    if steps_g < 0 or steps_d < 0:
        raise ValueError(f"steps_g is {steps_g} and steps_d {steps_d}: expected at least 0")
    generator = torch.tensor([[1.0, rate_g * slope], [0.0, 1.0]], dtype=torch.float64)
    discriminator = torch.tensor(
        [[1.0, 0.0], [-rate_d * slope, 1 - rate_d * gamma]], dtype=torch.float64
    )
    turn_g = torch.linalg.matrix_power(generator, steps_g)
    return turn_g @ torch.linalg.matrix_power(discriminator, steps_d)


def orbit(matrix: Tensor, start: Tensor, *, rounds: int) -> Tensor:
    """Return the points that a linear game visits, ``(rounds + 1, n)``, the start among them.

    Args:
        matrix: one round, ``(n, n)``.
        start: where the players begin, ``(n,)``.
        rounds: how often they play.
    """
    points = [start]
    for _ in range(rounds):
        points.append(matrix @ points[-1])
    return torch.stack(points)


def spectral_radius(matrix: Tensor) -> Tensor:
    """Return the largest absolute eigenvalue: by what a round stretches or shrinks in the long run.

    Args:
        matrix: one round, ``(n, n)``.

    Returns:
        A scalar; below 1 the game converges, above 1 it diverges, at 1 it circles.
    """
    return torch.linalg.eigvals(matrix).abs().max()
