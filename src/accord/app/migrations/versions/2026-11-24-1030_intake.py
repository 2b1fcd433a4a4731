"""The peers of MLLP and the messages that are kept before they are answered."""

import sqlalchemy as sa
from alembic import op

revision = "1030intake"
down_revision = "0540tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "mllp_peer",
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application", "facility", name=op.f("pk_mllp_peer")),
    )
    op.create_table(
        "intake_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("control_id", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("patient", sa.String(), nullable=True),
        sa.Column("raw_sealed", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_message")),
        sa.UniqueConstraint(
            "application",
            "facility",
            "control_id",
            name=op.f("uq_intake_message_application_facility_control_id"),
        ),
    )
    op.create_index(
        "ix_intake_message_open",
        "intake_message",
        ["institution", "state", "id"],
        postgresql_where=sa.text("state <> 'DONE'"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("intake_message")
    op.drop_table("mllp_peer")
