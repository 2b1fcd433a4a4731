"""What is done to the embedded database after its start, told by the assembly above.

Apart from `running`, because the command registers it before it knows whether it needs any
database at all, and the outer face must not load a driver.
"""

from collections.abc import Callable

Step = Callable[[str], object]

_steps: list[Step] = []


def prepare_with(step: Step) -> None:
    """Have `step(url)` run whenever a command starts the embedded database (migrations)."""
    if step not in _steps:
        _steps.append(step)


def prepare(url: str) -> None:
    """Run the registered steps on a database that was just started."""
    for step in _steps:
        step(url)
