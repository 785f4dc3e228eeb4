"""Diagrams of the adversarial games: each player's step, and where its gradient is cut off."""

from __future__ import annotations

from genimg_course.viz.diagram import Edge, Flow, Node, flow_panels
from genimg_course.viz.style import Figure

__all__ = [
    "CGAN",
    "DCGAN",
    "GAN",
    "WGAN_GP",
    "cgan_diagram",
    "dcgan_diagram",
    "gan_diagram",
    "wgan_gp_diagram",
]

_LEFT, _MIDDLE, _RIGHT = 0.5, 2.1, 3.7
_NOISE = "noise\n$z \\sim N(0, I)$"
_UPDATED, _FROZEN = "is updated", "stays as it is"

# a first and a second step in each game; the second stands below the first, so its heights are
# negative
GAN = (
    Flow(
        {
            "z": Node(_NOISE, _LEFT, 2.0, "random"),
            "G": Node(f"generator $G$\n{_FROZEN}", _MIDDLE, 2.0, "frozen"),
            "fake": Node("fake\n$G(z)$", _RIGHT, 2.0),
            "detach": Node("detach", _RIGHT, 1.0, "stop"),
            "x": Node("$x$\nreal image", _LEFT, 1.0),
            "D": Node(f"discriminator $D$\n{_UPDATED}", _MIDDLE, 1.0, "network"),
            "loss": Node("$D$'s loss: real up, fake down", _MIDDLE, 0.15, "loss"),
        },
        [
            Edge("z", "G"),
            Edge("G", "fake"),
            Edge("fake", "detach"),
            Edge("detach", "D"),
            Edge("x", "D"),
            Edge("D", "loss", kind="both"),
        ],
        "First the discriminator's step",
    ),
    Flow(
        {
            "z": Node(_NOISE, _LEFT, -0.9, "random"),
            "G": Node(f"generator $G$\n{_UPDATED}", _MIDDLE, -0.9, "network"),
            "fake": Node("fake\n$G(z)$", _RIGHT, -0.9),
            "D": Node(f"discriminator $D$\n{_FROZEN}", _MIDDLE, -1.8, "frozen"),
            "loss": Node("$G$'s loss: fake up", _MIDDLE, -2.65, "loss"),
        },
        [
            Edge("z", "G"),
            Edge("G", "fake", kind="both"),
            Edge("fake", "D", via=((_RIGHT, -1.8),), kind="both"),
            Edge("D", "loss", kind="both"),
        ],
        "Then the generator's step",
    ),
)

CGAN = (
    Flow(
        {
            "z": Node(_NOISE, _LEFT, 2.6, "random"),
            "y": Node("$y$\nclass", _LEFT, 1.75),
            "x": Node("$x$\nreal image", _LEFT, 0.9),
            "G": Node(f"generator $G$\n{_FROZEN}", _MIDDLE, 2.6, "frozen"),
            "fake": Node("fake\n$G(z, y)$", _RIGHT, 2.6),
            "detach": Node("detach", _RIGHT, 0.9, "stop"),
            "D": Node(f"discriminator $D$\n{_UPDATED}", _MIDDLE, 0.9, "network"),
            "loss": Node("$D$'s loss: real up, fake down", _MIDDLE, 0.05, "loss"),
        },
        [
            Edge("z", "G"),
            Edge("y", "G", via=((_MIDDLE, 1.75),)),
            Edge("G", "fake"),
            Edge("fake", "detach"),
            Edge("detach", "D"),
            Edge("x", "D"),
            Edge("y", "D", via=((_MIDDLE, 1.75),)),
            Edge("D", "loss", kind="both"),
        ],
        "First the discriminator's step",
    ),
    Flow(
        {
            "z": Node(_NOISE, _LEFT, -1.0, "random"),
            "y": Node("$y$\nclass", _LEFT, -1.85),
            "G": Node(f"generator $G$\n{_UPDATED}", _MIDDLE, -1.0, "network"),
            "fake": Node("fake\n$G(z, y)$", _RIGHT, -1.0),
            "D": Node(f"discriminator $D$\n{_FROZEN}", _MIDDLE, -2.7, "frozen"),
            "loss": Node("$G$'s loss: fake up", _MIDDLE, -3.55, "loss"),
        },
        [
            Edge("z", "G"),
            Edge("y", "G", via=((_MIDDLE, -1.85),)),
            Edge("G", "fake", kind="both"),
            Edge("fake", "D", via=((_RIGHT, -2.7),), kind="both"),
            Edge("y", "D", via=((_MIDDLE, -1.85),)),
            Edge("D", "loss", kind="both"),
        ],
        "Then the generator's step",
    ),
)

WGAN_GP = (
    Flow(
        {
            "z": Node(_NOISE, _LEFT, 2.9, "random"),
            "G": Node(f"generator $G$\n{_FROZEN}", _MIDDLE, 2.9, "frozen"),
            "fake": Node("fake $\\tilde{x}$\nno_grad", _RIGHT, 2.9, "stop"),
            "x": Node("$x$\nreal image", _LEFT, 2.0),
            "mixed": Node("mixture $\\hat{x}$", _MIDDLE, 2.0),
            "C": Node(f"critic $f$\n{_UPDATED}", _MIDDLE, 1.1, "network"),
            "loss": Node(
                "critic's loss: real up, fake down,\nplus penalty: slope at $\\hat{x}$ not 1",
                _MIDDLE,
                0.15,
                "loss",
            ),
        },
        [
            Edge("z", "G"),
            Edge("G", "fake"),
            Edge("x", "mixed"),
            Edge("fake", "mixed", via=((_RIGHT, 2.0),)),
            Edge("x", "C", via=((_LEFT, 1.1),)),
            Edge("fake", "C", via=((_RIGHT, 1.1),)),
            Edge("mixed", "C", "slope", kind="both"),
            Edge("C", "loss", kind="both"),
        ],
        "Five times in a row: the critic's step",
    ),
    Flow(
        {
            "z": Node(_NOISE, _LEFT, -1.0, "random"),
            "G": Node(f"generator $G$\n{_UPDATED}", _MIDDLE, -1.0, "network"),
            "fake": Node("fake\n$G(z)$", _RIGHT, -1.0),
            "C": Node(f"critic $f$\n{_FROZEN}", _MIDDLE, -1.9, "frozen"),
            "loss": Node("$G$'s loss: fake up", _MIDDLE, -2.75, "loss"),
        },
        [
            Edge("z", "G"),
            Edge("G", "fake", kind="both"),
            Edge("fake", "C", via=((_RIGHT, -1.9),), kind="both"),
            Edge("C", "loss", kind="both"),
        ],
        "Then once: the generator's step",
    ),
)

_UP, _ACROSS = (
    "transposed convolution,\nstride 2, batch norm, ReLU",
    "convolution,\nstride 2, leaky ReLU",
)

DCGAN = Flow(
    {
        "noise": Node("noise\n32", 0.55, 4.0, "random"),
        "G 4": Node("64 x 4 x 4", 0.55, 3.0),
        "G 8": Node("32 x 8 x 8", 0.55, 2.0),
        "G 16": Node("16 x 16 x 16", 0.55, 1.0),
        "image": Node("image\n1 x 16 x 16", 0.55, 0.0),
        "D 8": Node("32 x 8 x 8", 3.85, 2.0),
        "D 4": Node("64 x 4 x 4", 3.85, 3.0),
        "logit": Node("logit\n1", 3.85, 4.0),
    },
    [
        Edge("noise", "G 4", "dense layer,\nbatch norm, ReLU", side="behind"),
        Edge("G 4", "G 8", _UP, side="behind"),
        Edge("G 8", "G 16", _UP, side="behind"),
        Edge("G 16", "image", "convolution, tanh", side="behind"),
        Edge("image", "D 8", _ACROSS, via=((3.85, 0.0),)),
        Edge("D 8", "D 4", _ACROSS),
        Edge("D 4", "logit", "dense, leaky ReLU,\ndense"),
    ],
)


def gan_diagram() -> Figure:
    """Draw the game of a GAN: the two steps of a round, and what each of them updates."""
    alt = (
        "Diagram of a GAN's round in two steps. First the discriminator's step: the generator, "
        "which stays as it is, turns noise into a fake; the fake is detached; the discriminator "
        "sees it and a real image, and its loss wants real up and fake down. The gradient goes "
        "back into the discriminator and stops there. Then the generator's step: a fake, this time "
        "not detached, goes through the discriminator, and the generator's loss wants it up. The "
        "gradient goes back through the discriminator, which stays as it is, and through the fake "
        "into the generator. No real image is needed."
    )
    title = "Two steps, two losses.\nDashed arrows are gradients on their way back"
    return flow_panels(*GAN, title=title, alt=alt)


def cgan_diagram() -> Figure:
    """Draw the conditional GAN: what both networks see, and where each step's gradient ends."""
    alt = (
        "Diagram of a conditional GAN's round in two steps; both networks see the class y. First "
        "the discriminator's step: the generator, which stays as it is, turns noise and class into "
        "a fake; the fake is detached; the discriminator sees real pairs (x, y) and fake pairs "
        "(G(z, y), y), and the gradient of its loss ends in it. Then the generator's step: the "
        "fake pair goes through the discriminator without detach, and the gradient goes back "
        "through the discriminator, which stays as it is, and through the fake into the generator."
    )
    title = "Both networks see the class.\nDashed arrows are gradients on their way back"
    return flow_panels(*CGAN, title=title, alt=alt)


def wgan_gp_diagram() -> Figure:
    """Draw the Wasserstein GAN with gradient penalty: what the critic's step looks at."""
    alt = (
        "Diagram of a round of a Wasserstein GAN with gradient penalty. Five times in a row the "
        "critic's step: the generator, which stays as it is, makes fakes of noise under no_grad; "
        "real image and fake are mixed at random; the critic scores real, fake and mixture. The "
        "gradient of the score at the mixture is its slope there. The loss has two terms: real "
        "scores up and fake scores down, and a penalty where the slope is not one. The gradient "
        "goes back into the critic and stops there. Then once the generator's step: the fake goes "
        "through the critic, which stays as it is, the loss wants its score up, and the gradient "
        "goes back through the critic and the fake into the generator."
    )
    title = "The critic has two terms to mind.\nDashed arrows are gradients on their way back"
    return flow_panels(*WGAN_GP, title=title, alt=alt)


def dcgan_diagram() -> Figure:
    """Draw the layers of the DCGAN for 16 pixels: what leaves each layer, in channels and sides."""
    alt = (
        "Diagram of the layers of a DCGAN for 16 pixels, channels times height times width. The "
        "generator: 32 numbers of noise become 64 x 4 x 4 by a dense layer, 32 x 8 x 8 and "
        "16 x 16 x 16 by transposed convolutions of stride 2, each with batch normalisation and "
        "ReLU, and an image of 1 x 16 x 16 by a convolution and tanh. The discriminator goes the "
        "way back: convolutions of stride 2 with leaky ReLU and without batch normalisation give "
        "32 x 8 x 8 and 64 x 4 x 4, then two dense layers give one logit."
    )
    title = "Down on the left a picture grows,\nup on the right it is judged"
    return flow_panels(DCGAN, title=title, alt=alt)
