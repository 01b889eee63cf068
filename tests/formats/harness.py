"""Runs the fuzz harness in a process of its own: it forks, which a process with torch's threads must not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = Path(__file__).with_name("mutate.py")


def harness(*arguments: object) -> dict:
    """Return what `mutate.py ARGUMENTS` prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(_SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
