"""What runs inside the box, beside an answer that nobody has to trust."""

__all__ = []
