"""The command line `fairneuron`: the same jobs and settings as the browser.

With `--json` exactly one JSON object goes to stdout; everything else goes to stderr. Exit 0 = done, 1 = a
certificate that is re-checked does not hold or a known pair is treated differently, 2 = bad input with one sentence,
130 = interrupted.
"""

from fairneuron_core.cli.main import main

__all__ = ["main"]
