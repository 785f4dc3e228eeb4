"""Diagrams of the models that encode and decode: what flows where, and where gradients go back."""

from __future__ import annotations

from genimg_course.viz.diagram import Edge, Flow, Node, flow_panels
from genimg_course.viz.style import Figure

__all__ = [
    "AUTOENCODER",
    "CVAE",
    "DENOISER",
    "VAE",
    "autoencoder_diagram",
    "cvae_diagram",
    "denoiser_diagram",
    "vae_diagram",
]

_LEFT, _MIDDLE, _RIGHT = 0.6, 2.2, 3.8
_TOP, _UPPER, _LOWER, _BOTTOM = 2.7, 1.8, 0.9, 0.0

AUTOENCODER = Flow(
    {
        "x": Node("$x$\nimage", _LEFT, _TOP),
        "encoder": Node("encoder\nPCA: $W_1$", _LEFT, _UPPER, "network"),
        "z": Node("$z = e(x)$\ncode, short", _MIDDLE, _UPPER),
        "decoder": Node("decoder\nPCA: $W_2$", _RIGHT, _UPPER, "network"),
        "x_hat": Node("$\\hat{x} = d(z)$\nrebuilt", _RIGHT, _TOP),
        "loss": Node("squared error\n$||x - \\hat{x}||^2$", _MIDDLE, _TOP, "loss"),
    },
    [
        Edge("x", "encoder"),
        Edge("encoder", "z", kind="both"),
        Edge("z", "decoder", kind="both"),
        Edge("decoder", "x_hat", kind="both"),
        Edge("x_hat", "loss", kind="both"),
        Edge("x", "loss"),
    ],
)

DENOISER = Flow(
    {
        "x": Node("$x$\nclean image", _LEFT, _TOP),
        "eps": Node("noise\n$\\epsilon \\sim N(0, I)$", _MIDDLE, _UPPER, "random"),
        "noisy": Node("$\\tilde{x} = x + \\sigma\\epsilon$\nnoisy image", _LEFT, _UPPER),
        "denoiser": Node("denoiser $r$\nencoder, decoder", _MIDDLE, _LOWER, "network"),
        "x_hat": Node("$r(\\tilde{x})$\ncleaned", _RIGHT, _UPPER),
        "loss": Node("squared error\n$||x - r(\\tilde{x})||^2$", _MIDDLE, _TOP, "loss"),
    },
    [
        Edge("x", "noisy"),
        Edge("eps", "noisy"),
        Edge("noisy", "denoiser", via=((_LEFT, _LOWER),)),
        Edge("denoiser", "x_hat", via=((_RIGHT, _LOWER),), kind="both"),
        Edge("x_hat", "loss", via=((_RIGHT, _TOP),), kind="both"),
        Edge("x", "loss"),
    ],
)

VAE = Flow(
    {
        "x": Node("$x$\nimage", _LEFT, _TOP),
        "encoder": Node("encoder", _LEFT, _UPPER, "network"),
        "code": Node("mean $\\mu$\nlog-variance\n$\\log\\sigma^2$", _LEFT, _LOWER),
        "eps": Node("noise\n$\\epsilon \\sim N(0, I)$", _MIDDLE, _BOTTOM, "random"),
        "z": Node("$z = \\mu + \\sigma \\odot \\epsilon$", _MIDDLE, _LOWER),
        "decoder": Node("decoder", _RIGHT, _UPPER, "network"),
        "x_hat": Node("$\\hat{x}$\nimage", _RIGHT, _TOP),
        "reconstruction": Node("reconstruction\n$-\\log p(x\\;|\\;z)$", _MIDDLE, _TOP, "loss"),
        "kl": Node("price of the code\nKL from $N(0, I)$", _LEFT, _BOTTOM, "loss"),
    },
    [
        Edge("x", "encoder"),
        Edge("encoder", "code", kind="both"),
        Edge("code", "z", kind="both"),
        Edge("eps", "z"),
        Edge("z", "decoder", via=((_RIGHT, _LOWER),), kind="both"),
        Edge("decoder", "x_hat", kind="both"),
        Edge("x_hat", "reconstruction", kind="both"),
        Edge("x", "reconstruction"),
        Edge("code", "kl", kind="both"),
    ],
)

CVAE = Flow(
    {**VAE.nodes, "y": Node("$y$\nclass", _MIDDLE, _UPPER)},
    [*VAE.edges, Edge("y", "encoder"), Edge("y", "decoder")],
)


def autoencoder_diagram() -> Figure:
    """Draw the autoencoder: one loss, whose gradient reaches both halves."""
    alt = (
        "Diagram of an autoencoder. The encoder turns the image x into a short code z, the decoder "
        "turns z into the rebuilt image x hat; for PCA both are matrices. The squared error "
        "compares x hat with x. Its gradient goes back through the decoder and the code into the "
        "encoder, so one loss trains both networks."
    )
    title = "One loss trains both halves.\nDashed arrows are gradients on their way back"
    return flow_panels(AUTOENCODER, title=title, alt=alt)


def denoiser_diagram() -> Figure:
    """Draw the denoising autoencoder: noise at the input, the clean image as the target."""
    alt = (
        "Diagram of a denoising autoencoder. Noise is added to the clean image x; the denoiser, an "
        "encoder and a decoder, sees only the noisy image and returns a cleaned one. The squared "
        "error compares it with the clean x. The gradient goes back into the denoiser and no "
        "further."
    )
    title = "The network sees the noisy image,\nthe loss compares with the clean one"
    return flow_panels(DENOISER, title=title, alt=alt)


def vae_diagram() -> Figure:
    """Draw the variational autoencoder: both networks, the random draw, and the two loss terms."""
    alt = (
        "Diagram of a variational autoencoder. The encoder turns the image x into a mean and a "
        "log-variance; z is the mean plus the standard deviation times noise from N(0, I); the "
        "decoder turns z into the image x hat. The loss, the negative ELBO, is the sum of two "
        "terms: the reconstruction compares x hat with x, the price of the code is its KL "
        "divergence from N(0, I). The noise is an input, so the gradient of the reconstruction "
        "passes back through the decoder and z into the encoder; that of the KL term reaches the "
        "encoder alone."
    )
    title = "The noise comes in from outside,\nso gradients (dashed) pass through $z$"
    return flow_panels(VAE, title=title, alt=alt)


def cvae_diagram() -> Figure:
    """Draw the conditional variational autoencoder: the class enters both networks."""
    alt = (
        "Diagram of a conditional variational autoencoder. As in the plain one, an encoder turns "
        "the image x into a mean and a log-variance, z is drawn with noise from outside, a decoder "
        "turns z into the image x hat, and the loss is reconstruction plus KL term, with gradients "
        "back into both networks. New is the class y: it is a second input of the encoder and of "
        "the decoder, and no gradient flows to it."
    )
    title = "The class enters both networks;\nthe rest is the VAE"
    return flow_panels(CVAE, title=title, alt=alt)
