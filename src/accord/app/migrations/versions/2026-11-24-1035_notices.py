"""Notices about shown priors that turned out not to be certainly the patient's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1035notices"
down_revision = "1030intake"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "unlinked_prior",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("item_id", sa.UUID(), nullable=False),
        sa.Column("examination", sa.BigInteger(), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=True),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("physicians", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["reminder_item.id"],
            name=op.f("fk_unlinked_prior_item_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unlinked_prior")),
        sa.UniqueConstraint(
            "item_id", "examination", name=op.f("uq_unlinked_prior_item_id_examination")
        ),
    )
    op.create_index("ix_unlinked_prior_institution_at", "unlinked_prior", ["institution", "at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("unlinked_prior")
