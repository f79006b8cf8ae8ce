"""Families of models by name; each module of the package that is named here has a `build(configuration)`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, get_args

from engines.spec import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engines.families.base import PuppetModel


def names() -> tuple[Family, ...]:
    """Every family there is."""
    families: tuple[Family, ...] = get_args(Family)
    return families


def build(family: str, configuration: Mapping[str, object]) -> PuppetModel:
    """A model of a family with fresh weights.

    Raises:
        ValueError: there is no such family.
        pydantic.ValidationError: a key of the configuration is unknown, missing or out of range.
    """
    if family not in names():
        raise ValueError(f"no family {family!r}; there are {', '.join(names())}")
    module = import_module(f"engines.families.{family}")
    model: PuppetModel = module.build(configuration)
    return model
