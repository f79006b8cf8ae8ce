"""Picks mesh points and pictures without making a GPU wait: shapes stay the same, indices are sent there once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence


def at(points: Tensor, indices: Sequence[int]) -> Tensor:
    """(batch, n, ...): the entries of the second axis with these indices."""
    return points.index_select(1, _sent(tuple(indices), points.device))


def rows_with_face(known: Tensor) -> Tensor | None:
    """Rows of the pictures that show a face, repeated until there are as many as pictures; None if none does.

    Args:
        known: (batch,) bool.
    """
    rows = known.nonzero().flatten()
    return rows[torch.arange(len(known), device=rows.device) % len(rows)] if len(rows) else None


@cache
def _sent(indices: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(indices, device=device)
