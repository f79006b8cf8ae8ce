"""Failures of `engines` that are shown to the user as they are."""

from __future__ import annotations


class EngineError(Exception):
    """A failure to show to the user as it is: what failed, with which value, what to do."""


class ModelFolderError(EngineError):
    """A model folder is missing, incomplete, of a newer format, or its files were changed."""


class CheckpointError(EngineError):
    """A checkpoint cannot be read or does not fit the networks."""


class BackendError(EngineError):
    """A backend is not usable here, or an engine failed while it ran."""


class GpuError(BackendError):
    """A GPU ran out of memory, was lost, or failed otherwise while it worked."""


class ExportError(EngineError):
    """A graph could not be written or does not agree with the networks it came from."""


class TrainingError(EngineError):
    """Training or evaluation cannot start or go on."""


class BuildError(EngineError):
    """An engine cannot be built, or what was built does not compute what its graph says."""


class BuildCancelledError(BuildError):
    """The user stopped a build; nothing of it is left."""
