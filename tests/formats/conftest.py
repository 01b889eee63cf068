"""Files that the libraries themselves wrote, once for all tests of a process."""

import pytest

from tests.formats.examples import all_examples


@pytest.fixture(scope="session")
def examples() -> dict[str, bytes]:
    return all_examples()
