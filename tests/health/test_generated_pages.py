"""Generated pages are committed and fresh."""

from pathlib import Path

from accord.app import docs

ROOT = Path(__file__).resolve().parents[2]


def test_committed_pages_are_what_would_be_generated_now() -> None:
    assert docs.find_stale(ROOT) == [], "run `accord docs generate`"
