"""Alembic's environment: always on the connection that `accord.app.migrations` hands over."""

from alembic import context

from accord.app.migrations import all_tables, is_ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_tables(),
    include_name=is_ours,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
