"""Two maps of the subject: which models define a law of images, and what is made of what."""

from __future__ import annotations

from genimg_course.viz.diagram import Edge, Node, flow_diagram
from genimg_course.viz.style import Figure

__all__ = ["concept_map", "family_tree"]


def family_tree() -> Figure:
    """Draw the three families of generative models, by what each can say of an image."""
    nodes = {
        "root": Node("a law of images, learned from examples", 3.3, 2.6),
        "exact": Node("exact density\n$\\log p(x)$ is computed", 0.9, 1.55, "loss"),
        "bound": Node("approximate density\na bound of $\\log p(x)$", 3.3, 1.55, "network"),
        "implicit": Node("implicit law\nonly drawing works", 5.7, 1.55, "random"),
        "exact models": Node("mixture of Gaussians\nautoregressive model\nflow", 0.9, 0.45),
        "bound models": Node("variational autoencoder\ndiffusion model", 3.3, 0.45),
        "implicit models": Node("generative adversarial\nnetwork, in all variants", 5.7, 0.45),
    }
    edges = [Edge("root", "bound")]
    edges += [
        Edge("root", kind, via=((x, 2.6),)) for kind, x in (("exact", 0.9), ("implicit", 5.7))
    ]
    edges += [Edge(kind, f"{kind} models") for kind in ("exact", "bound", "implicit")]
    alt = (
        "Tree of the families of generative models. A law of images is learned from examples. "
        "Exact density: mixtures of Gaussians, autoregressive models, flows. Approximate density, "
        "a bound: variational autoencoders and diffusion models. Implicit law, which can only be "
        "drawn from: generative adversarial networks."
    )
    return flow_diagram(nodes, edges, title="What a model can say of an image", alt=alt)


def concept_map() -> Figure:
    """Draw how networks, convolutions, autoencoders, VAEs, GANs and diffusion hang together."""
    nodes = {
        "network": Node("neural network\na function with weights", 3.2, 3.5, "network"),
        "convolution": Node("convolution\na kind of layer", 6.0, 3.5, "network"),
        "encoder": Node("encoder\nimage to code", 0.6, 2.3, "network"),
        "decoder": Node("decoder or generator\ncode to image", 2.7, 2.3, "network"),
        "judge": Node("discriminator\nimage to logit", 4.8, 2.3, "network"),
        "denoiser": Node("denoiser\nnoisy to clean", 6.5, 2.3, "network"),
        "ae": Node("autoencoder\ncopies; no law", 0.6, 0.9),
        "vae": Node("VAE\na law, with a bound", 2.7, 0.9, "loss"),
        "gan": Node("GAN\na law, to draw from", 4.8, 0.9, "loss"),
        "diffusion": Node("diffusion model\na law, with a bound", 6.5, 0.9, "loss"),
    }
    edges = [
        Edge("convolution", "network", "may be part of"),
        Edge("network", "encoder", via=((2.7, 2.9), (0.6, 2.9))),
        Edge("network", "decoder", via=((2.7, 2.9),)),
        Edge("network", "judge", via=((2.7, 2.9), (4.8, 2.9))),
        Edge("network", "denoiser", via=((2.7, 2.9), (6.5, 2.9))),
    ]
    parts = {
        "ae": ("encoder", "decoder"),
        "vae": ("encoder", "decoder"),
        "gan": ("decoder", "judge"),
        "diffusion": ("denoiser",),
    }
    edges += [Edge(part, model) for model, used in parts.items() for part in used]
    alt = (
        "Map of concepts. A neural network is a function with weights; convolutions may be part of "
        "it. Networks play four parts: encoder, decoder or generator, discriminator, denoiser. "
        "Encoder and decoder make an autoencoder, which copies and defines no law; with a prior "
        "and a bound they make a VAE. Generator and discriminator make a GAN. A denoiser makes a "
        "diffusion model."
    )
    title = "Networks play parts; models are made of parts and of an objective"
    return flow_diagram(nodes, edges, title=title, alt=alt)
