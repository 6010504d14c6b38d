"""Runs the migrations on the connection that simulator/database.py holds open, inside its transaction."""

from alembic import context

from simulator.database import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
