"""Small real jobs for the tests of the worker, which is started with `--jobs tests.runs.job_table:TABLE`."""

import re
import sqlite3
import time

from fairneuron_core.errors import DataError
from fairneuron_core.jobs.context import JobResult, JobRow
from fairneuron_core.types import Progress


def count(params, context):
    """Count to `to` with a report at every step; a step takes `pause` seconds."""
    for step in range(params["to"]):
        time.sleep(params["pause"])
        context.progress(Progress((step + 1) / params["to"], f"Step {step + 1}", {"step": step + 1}))
    return JobResult({"counted": params["to"]}, {"numbers": context.workspace.put(b"1 2 3")})


def stubborn(params, context):
    """Work for a minute without a single report."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        sum(range(1000))
    return JobResult({})


def holding(params, context):
    """One call that never lets any other thread of this process run: a pattern that backtracks for ages."""
    re.match(r"(a+)+$", "a" * 40 + "b")
    return JobResult({})


def broken(params, context):
    raise ValueError("an inner detail that nobody should read")


def refused(params, context):
    raise DataError("The table has no rows: give one that has.")


def without_table(params, context):
    """Take away the table in which the end of this run would be written down."""
    connection = sqlite3.connect(context.workspace.home / "fairneuron.sqlite")
    connection.execute("ALTER TABLE run RENAME TO away")
    connection.close()
    return JobResult({})


def row(kind, work):
    return JobRow(kind, title=lambda p: f"{kind} job", check=lambda p: {"to": 3, "pause": 0.01, **p}, run=work)


TABLE = {work.__name__: row(work.__name__, work) for work in (count, stubborn, holding, broken, refused, without_table)}
