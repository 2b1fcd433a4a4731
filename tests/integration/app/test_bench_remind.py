"""The whole measurement on few examinations: real server, real load, nothing left behind."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.processes import ACCORD


@pytest.mark.nightly
@pytest.mark.processes
@pytest.mark.timeout(1200)
def test_the_measurement_answers_every_question_and_cleans_up():
    words = ["bench", "remind", "--exams", "1000", "--rate", "10", "--seconds", "5", "--json"]
    done = subprocess.run([*ACCORD, *words], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert set(result) == {"name", "machine", "figures", "peer", "ratios"}
    figures = result["figures"]
    assert figures["exams"] >= 1000
    assert figures["asked"] == 50
    assert figures["statuses"] == {"200": 50}
    assert set(figures["answers"]) & {"card", "quiet"}
    assert figures["server_ms_p50"] <= figures["server_ms_p99"]
    assert list(Path(tempfile.gettempdir()).glob("accord-bench-*")) == []
