"""Models, mathematics, exercises and tools of a hands-on course on image generation."""

__version__ = "0.1.0"

__all__ = ["__version__"]
