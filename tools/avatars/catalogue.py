"""Which avatars there are, and which module makes each; importing this needs no renderer."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Entry:
    """An avatar: its name, the module of this package that makes it, and what it shows."""

    name: str
    module: str
    about: str


_ENTRIES = (
    Entry("amara", "portrait", "young woman with a cloud of black curls, mustard top"),
    Entry("jonas", "portrait", "young man with chestnut hair swept up, freckles"),
    Entry("mei", "portrait", "young woman with a black bob and a fringe"),
    Entry("elena", "portrait", "woman with long brown waves"),
    Entry("walter", "portrait", "older man with grey hair and beard"),
    Entry("marcus", "portrait", "head of white marble"),
    Entry("tilo", "portrait", "figure of modelling clay"),
    Entry("agnes", "portrait", "old woman painted in oils"),
    Entry("nora", "drawn_flat", "flat drawing: red-haired woman in a striped jumper"),
    Entry("ren", "drawn_cel", "ink-and-flat-colour drawing: young man with blue hair"),
)
CATALOGUE = {entry.name: entry for entry in _ENTRIES}
