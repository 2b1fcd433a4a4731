"""The schema of procrastinate 3.10, frozen in a file so that this revision never changes."""

from alembic import op

from accord.app.migrations import read_sql, run_sql

revision = "0430jobs"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its tables, types and functions."""
    run_sql(op.get_bind(), read_sql("procrastinate-3.10.sql"))


def downgrade() -> None:
    """Drop everything that carries its name."""
    run_sql(op.get_bind(), read_sql("procrastinate-drop.sql"))
