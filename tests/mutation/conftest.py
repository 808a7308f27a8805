"""The runner's own modules are found here, as when it is started by hand."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
