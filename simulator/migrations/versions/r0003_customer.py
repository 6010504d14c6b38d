"""The persona of a call as it was when the call began."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add a column; calls that are there go on with the persona as the library has it."""
    op.add_column("calls", sa.Column("customer", sa.JSON))
