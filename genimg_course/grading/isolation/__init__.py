"""Ways to contain an answer, seen from outside: which there are, how one is started and asked."""

__all__ = []
