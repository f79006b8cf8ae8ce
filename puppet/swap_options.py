"""Flags of part swap, the same for `render` and `live`, and what the words in them mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puppet import part_groups
from puppet.errors import ConfigError
from puppet.swap import BACKGROUND

if TYPE_CHECKING:
    import argparse


REGIONS = {
    "hair": ("hair", "forehead", "ear"),
    "eyes": ("eye", "lid"),
    "mouth": ("lip", "mouth"),
    "face": ("brow", "lid", "eye", "nose", "lip", "mouth", "chin", "cheek"),
}
"""Words in the names of parts that lie in what a user means: hair falls over forehead and ears, and a lid is half of
an eye."""


UNMASKED = "iris"
"""Word of parts that have no mask, so that there is nothing of them to swap."""


def add_arguments(group: argparse._ActionsContainer) -> None:
    """Declare the flags beside `--swap`."""
    add = group.add_argument
    add("--swap-inverse", action="store_true", help="the other way round: all of the avatar, these parts of the driver")
    add("--swap-mask", choices=("both", "driving", "avatar"), default="both", help="whose mask says where a part lies")
    add("--swap-hard", action="store_true", help="cut swapped parts out with a hard edge")
    add("--swap-feather", type=float, default=0.25, metavar="X", help="softness of their edges, 0 to 1 (0.25)")
    add(
        "--no-swap-colour",
        dest="swap_colour",
        action="store_false",
        help="leave the colours of swapped skin as they are",
    )


def swappable(part_names: tuple[str, ...]) -> tuple[str, ...]:
    """The parts that can be chosen."""
    return tuple(name for name in part_names if UNMASKED not in part_groups.words(name))


def select_parts(wanted: tuple[str, ...], part_names: tuple[str, ...]) -> tuple[str, ...]:
    """Parts by a region, by their names, or by a word that several share, in the plural or not: `hair`, `lips`, `left`.

    Raises:
        ConfigError: a name fits no part.
    """
    known = (BACKGROUND, *part_names)
    chosen: list[str] = []
    for name in wanted:
        word = name.lower()
        words = set(REGIONS.get(word, (word, word.removesuffix("s"))))
        fitting = [] if word in REGIONS else [part for part in known if part == word]
        fitting = fitting or [part for part in known if words & part_groups.words(part)]
        if not fitting:
            raise ConfigError(f"--swap {name!r}: the model has no such part; it has {', '.join(known)}")
        chosen += [part for part in fitting if part not in chosen]
    return tuple(chosen)
