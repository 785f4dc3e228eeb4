"""Proofs about labels: in a logit, in an architecture, in a batch, in a posterior."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import conditioning, discriminators, divergences
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _logit(p: Tensor, q: Tensor) -> Tensor:
    return torch.logit(discriminators.optimal_discriminator(p, q))


def _logit_of_pairs() -> float:
    p, q = n.law(1, 2, 24).reshape(2, 3, 8)  # 3 classes, 8 images
    by_class = (p / p.sum(dim=0)).log() - (q / q.sum(dim=0)).log()
    by_image = p.sum(dim=0).log() - q.sum(dim=0).log()
    found = _logit(p, q)
    return max(n.gap(found, by_class + by_image), n.gap(found, p.log() - q.log()))


def _loss_on_pairs() -> float:
    counts = torch.arange(1, 13).reshape(2, 6)  # how often each of 6 pairs occurs, real and fake
    real, fake = (torch.arange(6).repeat_interleave(row) for row in counts)
    p, q = counts / counts.sum(dim=1, keepdim=True).double()
    logits = _logit(p, q).requires_grad_()
    loss = losses.discriminator_loss(logits[real], logits[fake])
    return torch.autograd.grad(loss, logits)[0].abs().max().item()


def _projection() -> float:
    features, (v_real, v_fake) = n.normal(2, 8, 4), n.normal(3, 2, 3, 4)
    p_x, q_x = n.law(4, 2, 8)
    p = torch.softmax(features @ v_real.T, dim=1) * p_x[:, None]  # (8, 3)
    q = torch.softmax(features @ v_fake.T, dim=1) * q_x[:, None]
    offsets = [torch.logsumexp(features @ v.T, dim=1) for v in (v_real, v_fake)]
    psi = (p_x / q_x).log() - offsets[0] + offsets[1]
    # psi is any function of the image; here it enters as one more feature, next to w and b
    weight, bias = n.normal(5, 4), n.float64(0.3)
    wide = torch.cat([features, (psi - features @ weight - bias)[:, None]], dim=1)
    weight = torch.cat([weight, torch.ones(1, dtype=torch.float64)])
    vectors = torch.cat([v_real - v_fake, torch.zeros(3, 1, dtype=torch.float64)], dim=1)
    image, y = torch.arange(8).repeat_interleave(3), torch.arange(3).repeat(8)
    found = conditioning.projection_logit(wide[image], y, weight, bias, vectors)
    return n.gap(found.reshape(8, 3), _logit(p, q))


def _linear_first_question() -> float:
    """Choose the laws of the images such that the first question is linear in the features."""
    features, (v_real, v_fake), weight = n.normal(13, 8, 4), n.normal(14, 2, 3, 4), n.normal(15, 4)
    z_real, z_fake = (torch.logsumexp(features @ v.T, dim=1) for v in (v_real, v_fake))
    q_x = n.law(16, 8)
    log_p = q_x.log() + features @ weight + z_real - z_fake
    bias = -torch.logsumexp(log_p, dim=0)
    p_x = (log_p + bias).exp()
    p = torch.softmax(features @ v_real.T, dim=1) * p_x[:, None]  # (8, 3)
    q = torch.softmax(features @ v_fake.T, dim=1) * q_x[:, None]
    image, y = torch.arange(8).repeat_interleave(3), torch.arange(3).repeat(8)
    found = conditioning.projection_logit(features[image], y, weight, bias, v_real - v_fake)
    by_hand = features @ weight + bias + (v_real - v_fake) @ features.T  # (3, 8)
    found = found.reshape(8, 3)
    return max(n.gap(found, _logit(p, q)), n.gap(found, by_hand.T))


def _concatenation() -> float:
    z, table = n.normal(6, 12, 5), n.normal(7, 4, 3)
    layer, bias = n.normal(8, 6, 8), n.normal(9, 6)
    y = torch.arange(12) % 4
    found = conditioning.condition(z, y, table) @ layer.T + bias
    biases = torch.stack([bias + layer[:, 5:] @ row for row in table])  # one bias a class
    return n.gap(found, z @ layer[:, :5].T + biases[y])


def _joint_laws(generator_is_perfect: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ``p(x, y)``, ``q(x, y)``, each ``(3, 8)``, and the laws of the labels, ``(3,)``."""
    p_y, q_y = n.float64([[0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3]])
    given_real, given_fake = n.law(10, 2, 3, 8)
    given_fake = given_real if generator_is_perfect else given_fake
    return p_y[:, None] * given_real, q_y[:, None] * given_fake, p_y, q_y / q_y.sum()


def _label_term() -> float:
    p, q, p_y, q_y = _joint_laws(False)
    images = (p / p_y[:, None]).log() - (q / q_y[:, None]).log()
    fair = q / q_y[:, None] * p_y[:, None]  # the same generator with the reals' labels
    expected = images + (p_y / q_y).log()[:, None]
    return max(n.gap(_logit(p, q), expected), n.gap(_logit(p, fair), images))


def _label_game() -> float:
    p, q, p_y, q_y = _joint_laws(True)
    d = discriminators.optimal_discriminator(p, q)
    value = discriminators.gan_value(p, q, d)
    labels_only = 2 * divergences.jensen_shannon(p_y, q_y) - math.log(4)
    fair = discriminators.gan_value(p, p, discriminators.optimal_discriminator(p, p))
    return max(n.gap(value, labels_only), abs(fair.item() + math.log(4)))


def _posteriors_of_two_priors() -> float:
    given_class = n.law(11, 4, 9)  # 4 classes, 9 images
    old, new = n.law(12, 2, 4)
    joint = torch.stack([prior[:, None] * given_class for prior in (old, new)])
    posterior = (joint / joint.sum(dim=1, keepdim=True)).transpose(1, 2)  # (2, 9, 4)
    return n.gap(conditioning.prior_shift(posterior[0], old, new), posterior[1])


def _information() -> tuple[Tensor, Tensor, Tensor]:
    """Return the law of 3 classes with 5 images, the posterior, and the mutual information."""
    joint = n.law(21, 15).reshape(3, 5)
    x_and_y = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0)
    return joint, (joint / joint.sum(dim=0)).T, (joint * (joint / x_and_y).log()).sum()


def _tight_at_the_posterior() -> float:
    joint, posterior, information = _information()
    return n.gap(conditioning.information_bound(joint, posterior), information)


def _gap_of_a_guess() -> float:
    joint, posterior, information = _information()
    guess = n.law(22, 5, 3)
    gap = joint.sum(dim=0) @ divergences.kl_divergence(posterior, guess)
    return n.gap(information - conditioning.information_bound(joint, guess), gap)


MIYATO = "https://arxiv.org/abs/1802.05637"

PROOFS = (
    Proof(
        id="cgan.optimal_logit",
        title="The optimal conditional discriminator asks two questions",
        statement=r"""a^*(x, y) = \mathrm{logit}\, D^*(x, y) = \log \frac{p(x, y)}{q(x, y)}
            = \underbrace{\log \frac{p(x)}{q(x)}}_{\text{is it an image?}}
            + \underbrace{\log \frac{p(y \mid x)}{q(y \mid x)}}_{\text{is it class } y?}""",
        assumptions="The discriminator sees pairs of image and label, half of them real.",
        source="Mirza and Osindero (2014), equation 2, https://arxiv.org/abs/1411.1784; "
        f"Miyato and Koyama (2018), equation 2, {MIYATO}",
        checks=(
            Check("enumeration", "3 classes and 8 images", _logit_of_pairs, 1e-12),
            Check(
                "autograd",
                "the gradient of the package's loss on pairs vanishes there",
                _loss_on_pairs,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="cgan.projection",
        title="Log-linear classes lead to the projection discriminator",
        statement=r"""\begin{gathered}
            \log p(y \mid x) = (v_y^p)^\top \phi(x) - \log Z_p(x)
            \;\text{ and the same for } q \\
            \Rightarrow\; \mathrm{logit}\, D^*(x, y) = v_y^\top \phi(x) + \psi(x),
            \quad v_y = v_y^p - v_y^q, \\
            \psi(x) = w^\top \phi(x) + b \;\Rightarrow\;
            a(x, y) = w^\top \phi(x) + b + v_y^\top \phi(x) = \mathrm{logit}\, D^*(x, y)
            \end{gathered}""",
        assumptions=r"Both class posteriors are softmax functions of the same features $\phi$; "
        r"$\psi$ may be any function of the image. That it is linear in $\phi$ is a choice of the "
        r"architecture.",
        source=f"Miyato and Koyama (2018), equations 4 to 6, {MIYATO}",
        checks=(
            Check(
                "enumeration",
                "the package's logit on 8 images and 3 classes against the optimal one",
                _projection,
                1e-12,
            ),
            Check(
                "enumeration",
                "the same for laws whose first question is linear in the features",
                _linear_first_question,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="cgan.concatenation",
        title="A class vector beside the code is a bias of its own for each class",
        statement=r"""W \begin{pmatrix} z \\ e_y \end{pmatrix} + b
            = W_z z + b_y, \qquad b_y = b + W_e e_y""",
        assumptions=r"The first layer is linear with $W = (W_z, W_e)$.",
        source="Mirza and Osindero (2014), section 3.2, https://arxiv.org/abs/1411.1784; "
        "Dumoulin et al. (2018), Feature-wise transformations, "
        "https://doi.org/10.23915/distill.00011",
        checks=(
            Check(
                "enumeration", "the package's input for 12 codes, 4 classes", _concatenation, 1e-12
            ),
        ),
    ),
    Proof(
        id="cgan.label_law",
        title="Labels of another law give the fakes away",
        statement=r"""\mathrm{logit}\, D^*(x, y) = \log \frac{p(x \mid y)}{q(x \mid y)}
            + \log \frac{p(y)}{q(y)}, \qquad
            \max_D V = -\log 4 + 2\, \mathrm{JSD}(p(y) \Vert q(y))
            \;\text{ if } q(x \mid y) = p(x \mid y)""",
        assumptions=r"Fakes are drawn with labels from $q(y)$, reals have labels from $p(y)$; the "
        "extra term is zero only where the two agree.",
        source="Goodfellow et al. (2014), proposition 1 and theorem 1, "
        f"https://arxiv.org/abs/1406.2661; Miyato and Koyama (2018), equation 2, {MIYATO}",
        checks=(
            Check(
                "enumeration",
                "logits of 24 pairs, with labels of another and of the same law",
                _label_term,
                1e-12,
            ),
            Check(
                "enumeration",
                "value of the game for a perfect generator with either labels",
                _label_game,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="cgan.prior_shift",
        title="Posteriors for other class frequencies",
        statement=r"""p_2(y \mid x) = \frac{p_1(y \mid x)\, p_2(y) / p_1(y)}
            {\sum_{y'} p_1(y' \mid x)\, p_2(y') / p_1(y')}""",
        assumptions=r"The images of a class stay the same, $p_1(x \mid y) = p_2(x \mid y)$, and "
        r"$p_1(y) > 0$.",
        source="Saerens, Latinne and Decaestecker (2002), "
        "https://doi.org/10.1162/089976602753284446",
        checks=(
            Check(
                "enumeration",
                "Bayes' rule for 9 images and 4 classes under both frequencies",
                _posteriors_of_two_priors,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="cgan.information_bound",
        title="An auxiliary classifier bounds the information about the class",
        statement=r"""I(y; x) = \mathbb E \log Q(y \mid x) + H(y)
            + \mathbb E_x\, \mathrm{KL}\left(p(y \mid x)\, \Vert\, Q(y \mid x)\right)
            \ge \mathbb E \log Q(y \mid x) + H(y)""",
        assumptions="Finitely many classes and images, $Q$ positive; the bound is tight where $Q$ "
        "is the posterior.",
        source="Chen et al. (2016), equation 5, https://arxiv.org/abs/1606.03657; "
        "Odena et al. (2017), https://arxiv.org/abs/1610.09585",
        checks=(
            Check("enumeration", "the posterior of 5 images", _tight_at_the_posterior, 1e-12),
            Check("enumeration", "what a guess loses", _gap_of_a_guess, 1e-12),
        ),
    ),
)

ROWS = {
    "D31": ("cgan.optimal_logit",),
    "D32": ("cgan.projection", "cgan.concatenation"),
    "D33": ("cgan.information_bound", "cgan.label_law"),
    "D71": ("cgan.prior_shift",),
}
