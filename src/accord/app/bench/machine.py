"""What was measured on, and how figures are taken from many values."""

import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path

GIB = 1024**3


def machine() -> dict[str, object]:
    """Return what a reader needs to compare the figures with their own."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile; of an empty sequence NaN."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(math.ceil(percent / 100 * len(ranked)), 1) - 1]
