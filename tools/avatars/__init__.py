"""How the bundled avatars are made: people rendered from a CC0 head, and drawn ones."""
