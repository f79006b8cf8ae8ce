"""Failures of the live program that are shown to the user as they are."""

from __future__ import annotations


class PuppetError(Exception):
    """A failure to show to the user as it is: what failed, with which value, what to do."""


class ConfigError(PuppetError):
    """A flag or a line of the configuration file cannot be used."""


class AvatarError(PuppetError):
    """An avatar picture cannot be read or used."""


class SourceError(PuppetError):
    """A camera, a video file or another source of frames failed."""


class SinkError(PuppetError):
    """A video file, virtual camera or another place for pictures failed."""
