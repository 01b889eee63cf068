"""`python -m fairneuron_core.cli` is `fairneuron`."""

import sys

from fairneuron_core.cli.main import main

sys.exit(main())
