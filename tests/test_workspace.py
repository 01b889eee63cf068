"""The workspace folder: what unfinished runs leave behind does not stay for ever."""

import os
import time

from fairneuron_core.workspace import forget_old


def test_files_of_runs_that_were_given_up_are_deleted_after_a_week(tmp_path):
    for name, days in {"eight": 8, "six": 6, "now": 0}.items():
        path = tmp_path / name
        path.write_text(name)
        os.utime(path, (time.time() - 86400 * days,) * 2)
    forget_old(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"six", "now"}
