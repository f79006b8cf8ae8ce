"""How far a part may be moved and stretched beside the head: past what faces do, a picture tears.

Both limits leave what is usual as it is, then give way more and more slowly, so that nothing jumps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from puppet.types import Floats

# Measured with the bundled model on 8,000 frames of 47 clips: in one of 100 a part goes beyond the first, in one of
# 1,000 beyond the second; cheeks and ears of a head turned far are among them, open mouths and closed lids are not.
STRETCH = 0.6
"""Natural logarithm of a singular value of a part's relative affine, either way, up to which it is left as it is."""
MOST_STRETCH = 1.0
AWAY = 0.2
"""Distance, half sides, of a part from where the movement of the whole head takes it, that is left as it is."""
MOST_AWAY = 0.35
TURNED = 0.08
"""The same distance across or upwards, root of the mean square over all parts: how far the head is turned, beside being
moved, tilted and made larger. In one frame of ten a head is turned farther; what breaks lies at 0.12 and more."""
MOST_TURNED = 0.115


def hold_back_turn(way: Floats, rest: Floats, of: NDArray[np.bool_] | None = None) -> tuple[Floats, float]:
    """Ways of parts whose head is turned no farther than limits allow.

    All parts of the head are held back alike, so that they stay together, and across and upwards apart: who looks far
    to the side still nods.

    Args:
        way: how far each part goes, float32 (K, 2).
        rest: from where, float32 (K, 2).
        of: the head's parts, bool (K,); all, if it is left out.

    Returns:
        Ways, float32 (K, 2), and the share that is left of the turn that is held back more, from 0 to 1.
    """
    head = np.ones(len(way), bool) if of is None else of
    turned = np.sqrt(np.square(way - common_way(way, rest, of=head))[head].mean(axis=0))
    is_over = turned > TURNED
    if not is_over.any():
        return way, 1.0
    shares = np.where(is_over, soft_limit(turned, TURNED, MOST_TURNED) / np.maximum(turned, 1e-6), 1)
    middle = way[head].mean(axis=0)
    held = np.where(head[:, None], middle + shares * (way - middle), way)
    return held.astype(np.float32), float(shares.min())


def limit_affines(affine: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Relative affines whose singular values stay within limits; turns stay as they are.

    Args:
        affine: finite, float32 (K, 2, 2).

    Returns:
        Affines, float32 (K, 2, 2), and which of them were changed, bool (K,).
    """
    left, values, right = np.linalg.svd(affine)
    logs = np.log(np.maximum(values, 1e-6))
    is_over = (np.abs(logs) > STRETCH).any(axis=1)
    if not is_over.any():
        return affine, is_over
    within = np.exp(np.sign(logs) * soft_limit(np.abs(logs), STRETCH, MOST_STRETCH))
    limited = (left * within[:, None, :]) @ right
    return np.where(is_over[:, None, None], limited, affine).astype(np.float32), is_over


def limit_shifts(way: Floats, rest: Floats, of: NDArray[np.bool_] | None = None) -> tuple[Floats, NDArray[np.bool_]]:
    """Ways of the head's parts, each near to where the movement of all of them would take it.

    Args:
        way: how far each part goes, float32 (K, 2).
        rest: from where, float32 (K, 2).
        of: the head's parts, bool (K,); all, if it is left out. The others go as they are.

    Returns:
        Ways, float32 (K, 2), and which of them were changed, bool (K,).
    """
    common = common_way(way, rest, of=of)
    own = way - common
    distance = np.linalg.norm(own, axis=1)
    is_over = distance > AWAY
    if of is not None:
        is_over &= of
    if not is_over.any():
        return way, is_over
    share = soft_limit(distance, AWAY, MOST_AWAY) / np.maximum(distance, 1e-6)
    return np.where(is_over[:, None], common + share[:, None] * own, way).astype(np.float32), is_over


def common_way(way: Floats, rest: Floats, *, of: NDArray[np.bool_] | None = None) -> Floats:
    """Where the affine movement that fits all parts best (least squares) takes each, float32 (K, 2).

    Args:
        way: how far each part goes, float32 (K, 2).
        rest: from where, float32 (K, 2).
        of: the parts that the movement is fitted to, bool (K,); all, if it is left out.
    """
    places = np.concatenate([rest, np.ones((len(rest), 1), np.float32)], axis=1)
    fitted = slice(None) if of is None else of
    return np.asarray(places @ (np.linalg.pinv(places[fitted]) @ way[fitted]), np.float32)


def soft_limit(values: Floats, knee: float, most: float) -> Floats:
    """Values from 0 on: themselves up to the knee, then slower and slower towards the most, without a corner."""
    beyond = most - knee
    return np.where(values <= knee, values, knee + beyond * np.tanh((values - knee) / beyond))
