"""Looks at pictures with every metric network that is installed, each picture once, and compares what it saw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engines.faces import FaceFinder
from engines.irises import IrisFinder
from engines.training import identity
from engines.training.landmarks68 import at_metric_size, face_mesh
from engines.training.metrics import key_point_distance, l1

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from engines.faces import Image, Mesh
    from engines.training.perceptual_metric import PerceptualMetric

FIGURES = ("l1", "perceptual", "akd", "akd_mouth", "akd_eyes", "aed", "missed")
"""What `Judge.compare` gives: `missed` is 1 where only the first picture shows a face (Siarohin et al.: MKR)."""

Figures = dict[str, "float | None"]


@dataclass(frozen=True, eq=False)
class Look:
    """One picture and what the networks say about it."""

    image: Image
    """uint8 (256, 256, 3)."""
    mesh: Mesh | None
    embedding: NDArray[np.float32] | None
    features: list[Tensor] | None


class Judge:
    """The metric networks; identity and perceptual distance are extras and may be missing."""

    def __init__(
        self,
        finder: FaceFinder,
        *,
        identity_net: identity.IdentityNet | None = None,
        perceptual: PerceptualMetric | None = None,
    ) -> None:
        self._finder = finder
        self._irises = IrisFinder()
        self._identity = identity_net
        self._perceptual = perceptual

    @classmethod
    def installed(cls) -> tuple[Judge, list[str]]:
        """A judge with every network that is installed, and one sentence for each that is not."""
        left_out = [reason for reason in (_why_no_perceptual(), identity.why_unavailable()) if reason]
        perceptual = _perceptual() if _why_no_perceptual() is None else None
        identity_net = identity.IdentityNet() if identity.why_unavailable() is None else None
        return cls(FaceFinder(), identity_net=identity_net, perceptual=perceptual), left_out

    def mesh(self, image: Image) -> Mesh | None:
        """Mesh and irises of the face in a picture of any size, in pixels of the picture at 256."""
        image = at_metric_size(image)
        mesh = face_mesh(self._finder, image)
        return mesh and replace(mesh, irises=self._irises.find(image, mesh))

    def look(self, image: Image, *, embed: bool = True, perceive: bool = True) -> Look:
        """See everything once.

        Args:
            image: uint8 (S, S, 3) RGB.
            embed: also who it is.
            perceive: also the features of the perceptual distance.
        """
        image = at_metric_size(image)
        mesh = self.mesh(image)
        embedding = self._identity.embed(image, mesh) if embed and self._identity and mesh else None
        features = self._perceptual.features(image) if perceive and self._perceptual else None
        return Look(image, mesh, embedding, features)

    def compare(self, truth: Look, other: Look) -> Figures:
        """Every figure of `FIGURES`; None where a network is missing or one of the faces was not found."""
        figures: Figures = dict.fromkeys(FIGURES)
        figures["l1"] = l1(truth.image, other.image)
        if self._perceptual and truth.features and other.features:
            figures["perceptual"] = self._perceptual.compare(truth.features, other.features)
        if truth.mesh:
            figures["missed"] = float(other.mesh is None)
        if truth.mesh and other.mesh:
            apart = key_point_distance(truth.mesh, other.mesh)
            figures |= {"akd": apart.all, "akd_mouth": apart.mouth, "akd_eyes": apart.eyes}
        if truth.embedding is not None and other.embedding is not None:
            figures["aed"] = identity.distance(truth.embedding, other.embedding)
        return figures


def _why_no_perceptual() -> str | None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return "perceptual distance is left out: install torch"
    from engines.training import perceptual_metric

    return perceptual_metric.why_unavailable()


def _perceptual() -> PerceptualMetric:
    """On the GPU if there is one; in bfloat16 on a CPU that computes in it (0.3 % off, twice as fast)."""
    import torch

    from engines.backends.ovino import openvino_core
    from engines.training.perceptual_metric import PerceptualMetric

    if torch.cuda.is_available():
        return PerceptualMetric(device="cuda")
    capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return PerceptualMetric(bfloat16="BF16" in capabilities)
