"""Run the revisions on the connection that the store hands over."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Configure Alembic with the given connection and run what it asks for."""
    context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


# Alembic loads this file under this name; importing it for any other reason (collecting doctests) must do nothing.
if __name__ == "env_py":
    run()
