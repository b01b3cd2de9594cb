"""How well prompts hit caches: recorded.py by the providers' published rules, served.py on a real model server."""

import sys
from pathlib import Path

# The loopback server that plays the providers is the tests'.
sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))
