"""First tables: run, point, dataset, model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the four tables and their indexes."""
    _run()
    _point()
    _dataset()
    _model()


def downgrade() -> None:
    """Drop the four tables."""
    for table in ("model", "dataset", "point", "run"):
        op.drop_table(table)


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("spec_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.Column("heartbeat", sa.DateTime),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("cancel_requested", sa.DateTime),
        sa.Column("results", sa.JSON, nullable=False),
        sa.Column("artefacts", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("retry_of", sa.String(16), sa.ForeignKey("run.id", ondelete="SET NULL")),
        sa.Column("worker_pid", sa.Integer),
        sa.Column("environment", sa.JSON, nullable=False),
    )
    op.create_index("run_by_spec", "run", ["spec_sha256", "state"])
    op.create_index("run_by_created", "run", ["created"])
    op.create_index("ix_run_state", "run", ["state"])


def _point() -> None:
    op.create_table(
        "point",
        sa.Column("run_id", sa.String(16), sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("point", sa.JSON, nullable=False),
    )


def _dataset() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("note", sa.JSON, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
    )


def _model() -> None:
    op.create_table(
        "model",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("data_sha256", sa.String(64), nullable=False),
        sa.Column("parent", sa.String(64)),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("run.id", ondelete="SET NULL")),
        sa.Column("created", sa.DateTime, nullable=False),
    )
    op.create_index("ix_model_run_id", "model", ["run_id"])
