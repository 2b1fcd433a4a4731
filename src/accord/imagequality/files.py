"""Read our own limits from the package, once."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from accord import standard
from accord.imagequality.model import Limit, Terms


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Limit(_Strict):
    value: float
    unit: str
    why: str


class _File(_Strict):
    version: str
    limits: Mapping[str, _Limit]
    words: Mapping[str, Mapping[str, tuple[str, ...]]]


@lru_cache(maxsize=4)
def _file() -> _File:
    text = (files("accord.imagequality") / "limits.yaml").read_text(encoding="utf-8")
    told: Any = yaml.safe_load(text)
    return _File.model_validate(told)


def terms(version: str = "2025-draft") -> Terms:
    """Return what checks compare by: a version of the standard and our own limits."""
    file = _file()
    limits = {
        name: Limit(name, one.value, one.unit, file.version, one.why)
        for name, one in file.limits.items()
    }
    return Terms(standard.load(version), limits, file.words)
