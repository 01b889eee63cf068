"""Standard output carries the answer alone, whatever the libraries below print."""

import subprocess
import sys

NOISY = """
import os
from fairneuron_core.cli.output import answer_alone
with answer_alone():
    os.write(1, b"a line of a C library\\n")
    print("a line of Python")
print("the answer")
"""


def test_what_libraries_print_goes_to_standard_error():
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, check=True)
    assert done.stdout == "the answer\n"
    assert done.stderr.splitlines() == ["a line of a C library", "a line of Python"]


def test_without_a_file_of_the_system_nothing_is_redirected(capsys):
    from fairneuron_core.cli.output import answer_alone

    with answer_alone():
        print("kept")
    assert capsys.readouterr().out == "kept\n"
