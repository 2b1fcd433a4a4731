"""The loaded site of `support.reminding`, shared by the tests of one worker."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from accord.app.web import create_app
from support.reminding import Browser, Site, loaded_site


@pytest.fixture(scope="package")
def site(server, tmp_path_factory) -> Iterator[Site]:
    """The loaded site of this worker."""
    with loaded_site(server, tmp_path_factory.mktemp("reminder-site")) as loaded:
        yield loaded


@pytest.fixture
def conn(site: Site) -> Iterator[Connection]:
    """A transaction on the loaded site that is rolled back."""
    with site.database.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def client(site: Site) -> Iterator[Browser]:
    """The inner application over the loaded site."""
    # A busy machine is no outage: only the tests of the cut-off have a short one.
    patient = site.settings.model_copy(update={"reminder_cutoff": timedelta(seconds=60)})
    app = create_app(patient, site.database)
    yield Browser(app, site.settings.inner_url)
    lane = getattr(app.state, "reminder_lane", None)
    if lane is not None:
        lane.close()
