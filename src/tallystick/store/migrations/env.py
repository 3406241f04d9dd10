"""What Alembic runs: all steps on the connection that the store gives it, in the store's own transaction."""

from __future__ import annotations

from alembic import context

from tallystick.store.tables import METADATA

__all__: list[str] = []

# Only Alembic sets a configuration; whoever else imports this file finds nothing to do.
if getattr(context, "config", None) is not None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table="ts_version",
    )
    context.run_migrations()
