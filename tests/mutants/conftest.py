"""The runner's own modules are found here, as when it is started by hand."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # last: tests/mutation has a `run` too, and its tests mean that one
