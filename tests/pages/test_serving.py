"""The server gets ready for the heavy pages after the first one, not before."""

import subprocess
import sys

CHECK = """
import sys
from pages.ui import serving
assert "torch" not in sys.modules, "importing the server already imports torch"
serving.warm_up()
missing = [name for name in serving._LARGE if name not in sys.modules]
assert not missing, missing
"""


def test_large_libraries_are_imported_by_warming_up_and_not_with_the_server():
    found = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
