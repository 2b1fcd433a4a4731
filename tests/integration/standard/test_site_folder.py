"""The folder of the site, `ACCORD_RULES_DIR`, read from disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord import standard
from accord.kit.settings import get_settings
from accord.standard.errors import BrokenFile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ACCORD_RULES_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def test_an_empty_folder_changes_nothing(folder: Path) -> None:
    assert standard.load().overrides == ()
    assert standard.load().fingerprint == standard.published().fingerprint


def test_files_of_the_site_change_numbers_and_switches(folder: Path) -> None:
    (folder / "notice.yaml").write_text(
        "because: 川渝通知\nnumbers: {6.5/window: {2025-draft: 3}}\n", "utf-8"
    )
    (folder / "county.yml").write_text(
        "because: 县域规则\nswitches: {accept_cr_reader: true}\n", "utf-8"
    )
    (folder / "readme.txt").write_text("not a rule", "utf-8")
    here = standard.load()
    assert here.months("6.5/window") == 3
    assert here.is_on("accept_cr_reader")
    assert here.overrides == (
        "6.5/window = 3 (notice.yaml)",
        "accept_cr_reader = True (county.yml)",
    )


def test_what_comes_with_the_product_stays_as_it_is(folder: Path) -> None:
    (folder / "notice.yaml").write_text(
        "because: 川渝通知\nnumbers: {6.5/window: {2025-draft: 3}}\n", "utf-8"
    )
    assert standard.published().months("6.5/window") == 1
    assert standard.load().fingerprint != standard.published().fingerprint


def test_a_broken_file_of_the_site_stops_the_start_with_its_name(folder: Path) -> None:
    (folder / "notice.yaml").write_text("because: 川渝通知\nnumber: {}\n", "utf-8")
    with pytest.raises(BrokenFile, match=r"notice\.yaml: number: ") as raised:
        standard.load()
    assert raised.value.exit_code == 3


def test_a_folder_that_is_not_there_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_RULES_DIR", str(folder / "none"))
    get_settings.cache_clear()
    with pytest.raises(BrokenFile, match="none is not a folder"):
        standard.load()
