"""Training and evaluation: data, losses, loop, metrics."""
