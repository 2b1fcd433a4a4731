"""`accord work`: every task of every package, the events that lead to them, the worker."""

import importlib
import importlib.util
import pkgutil

import accord
from accord.app import wiring
from accord.kit import worker
from accord.kit.db import Database
from accord.kit.settings import Settings


def load() -> None:
    """Import the jobs of every package and connect events to them."""
    for package in pkgutil.iter_modules(accord.__path__):
        name = f"accord.{package.name}.jobs"
        if package.ispkg and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
    wiring.connect_events()


def run(settings: Settings, database: Database) -> None:
    """Run jobs and periodic tasks until SIGTERM or SIGINT."""
    load()
    worker.run(database, threads=settings.work_threads)
