"""The commands of ``genimg``, by whose they are; importing them imports nothing heavy."""

__all__ = ["Failed", "Mendable"]


class Failed(Exception):
    """Something was done and went wrong; one sentence says where."""


class Mendable(Exception):
    """Something cannot be done as it was asked for; one sentence says what to change."""
