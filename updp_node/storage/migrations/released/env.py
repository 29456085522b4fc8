"""Runs the migrations of the released zone."""

from alembic import context

from updp_node.storage.database import open_engine
from updp_node.storage.released_tables import Released

engine = open_engine(context.config.get_main_option("sqlalchemy.url") or "")
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=Released.metadata, render_as_batch=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
