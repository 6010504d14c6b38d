"""Calls and their turns, as the first release made them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "calls",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False, index=True),
        sa.Column("persona", sa.String(60), nullable=False, index=True),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("exam", sa.Boolean, nullable=False),
        sa.Column("hints", sa.Integer, nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("ending", sa.String(20)),
        sa.Column("outcome", sa.String(20)),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("overall", sa.Double),
        sa.Column("scorecard", sa.JSON),
    )
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(36), sa.ForeignKey("calls.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("anger", sa.Double, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
