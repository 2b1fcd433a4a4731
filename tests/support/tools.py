"""Tests that need a tool or the real data: left out by name where it is missing, never in CI."""

import os
import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"
DICOM = SHARED / "data" / "dicom"

# Marker → (is it here?, what a person does about it).
TOOLS = {
    "dcmtk": (shutil.which("storescu"), "storescu is missing: apt-get install dcmtk"),
    "browser": (shutil.which("chromium"), "chromium is missing: apt-get install chromium"),
    "orthanc": (shutil.which("Orthanc"), "Orthanc is missing: apt-get install orthanc"),
    "shared": (DICOM.is_dir(), "the real data (../shared/data) is not beside the repository"),
}
IN_CI = os.environ.get("CI") == "true"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here; in CI that is an error of the run, not a skip."""
    for marker, (found, reason) in TOOLS.items():
        concerned = [item for item in items if item.get_closest_marker(marker)]
        if found or not concerned:
            continue
        if IN_CI:
            raise pytest.UsageError(f"{len(concerned)} tests cannot run: {reason}")
        for item in concerned:
            item.add_marker(pytest.mark.skip(reason=reason))
    if not config.option.markexpr:
        kept = [item for item in items if not item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out, and why."""
    for found, reason in TOOLS.values():
        skipped = [
            report
            for report in terminalreporter.stats.get("skipped", [])
            if not found and reason in str(report.longrepr)
        ]
        if skipped:
            terminalreporter.write_line(f"left out {len(skipped)} tests: {reason}", yellow=True)
