"""Flags of how motion is carried over, the same for `render` and `live`; settings of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

NAMES = ("mouth", "eyes", "head", "limits", "adapt_tilt")


def add_arguments(group: argparse._ActionsContainer) -> None:
    """Declare the flags."""
    add = group.add_argument
    add("--mouth", type=float, default=1.0, metavar="X", help="size of the mouth's movements, 0 to 2")
    add("--eyes", type=float, default=1.0, metavar="X", help="size of the movements of eyes, lids and brows, 0 to 2")
    add("--head", type=float, default=1.0, metavar="X", help="size of the head's movements, 0 to 2")
    add("--no-limits", dest="limits", action="store_false", help="let parts go as far as they are driven, even apart")
    add(
        "--no-adapt-tilt",
        dest="adapt_tilt",
        action="store_false",
        help="take movements as they are, though the head is tilted or turned in the reference frame",
    )


def chosen(options: Any) -> dict[str, Any]:
    """What the flags say, by the names of the settings."""
    return {name: getattr(options, name) for name in NAMES}
