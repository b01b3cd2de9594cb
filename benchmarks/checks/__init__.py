"""What the checks refuse: of real changes, which they should keep, and of bad answers made on purpose."""

import sys
from pathlib import Path

# Successive releases are fetched as for the tests' replay of real changes.
sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))
