"""The tables of every package."""

from alembic import op

from accord.app.migrations import all_tables, read_sql, run_sql

revision = "0431tables"
down_revision = "0430jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    all_tables().create_all(op.get_bind())
    run_sql(op.get_bind(), read_sql("audit-append-only.sql"))


def downgrade() -> None:
    """Drop them."""
    all_tables().drop_all(op.get_bind())
    run_sql(op.get_bind(), "DROP FUNCTION audit_entry_is_append_only()")
