"""What our own processes inherit from the shell. Run in a process of its own, because the environment belongs to the process."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOW = "import json; from runtime.settings import child_environment; print(json.dumps(child_environment()))"
NOT_INHERITED = """
    KUBECONFIG OPENAI_API_KEY OPENAI_BASE_URL AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GITHUB_TOKEN DB_PASSWORD SLACK_SIGNING_SECRET
    LANGSMITH_TRACING LANGCHAIN_PROJECT DAY2_STORE__DATA_DIR GOOGLE_APPLICATION_CREDENTIALS
"""


def test_nothing_that_holds_a_secret_or_names_a_cluster_is_inherited() -> None:
    strange = dict.fromkeys(NOT_INHERITED.split(), "canary")
    common = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run([sys.executable, "-c", SHOW], cwd=ROOT, env={**common, **strange}, capture_output=True, text=True, check=True)
    inherited = json.loads(done.stdout)
    assert "canary" not in inherited.values()
    assert {name: inherited[name] for name in common} == common
    assert inherited["LANGGRAPH_STRICT_MSGPACK"] == "true"
