"""Alembic environment: runs all migrations on the store's connection, in its transaction."""

from __future__ import annotations

from alembic import context

from tallystick.store.tables import METADATA

__all__: list[str] = []

# Only Alembic sets a configuration; any other import does nothing.
if getattr(context, "config", None) is not None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table="ts_version",
    )
    context.run_migrations()
