"""Write `simulator/schemas/builtin.jsonl` from what a real API server serves: `python -m tests.simulator.api.recording_types FOLDER`.

FOLDER is that of a rig. One schema a line, by name, without its descriptions: types, formats, defaults, and how lists and maps merge.
"""

import json
import sys
from pathlib import Path
from typing import Any

from simulator.schemas.nodes import BUILTIN
from tests.simulator.api.recording import client_of

Json = dict[str, Any]


def undescribed(schema: Any) -> Any:
    """A schema without its texts; a property may be called `description`, and stays."""
    if isinstance(schema, list):
        return [undescribed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: undescribed(each) for name, each in value.items()} if key == "properties" else undescribed(value)
        for key, value in schema.items()
        if key != "description"
    }


def main(folder: Path) -> None:
    found: Json = {}
    with client_of(folder) as client:
        for path in client.get("/openapi/v3").json()["paths"].values():
            found |= client.get(path["serverRelativeURL"]).json().get("components", {}).get("schemas", {})
    kinds = {name: undescribed(schema) for name, schema in sorted(found.items()) if name.startswith("io.k8s.")}
    BUILTIN.write_text("".join(json.dumps({name: schema}, separators=(",", ":")) + "\n" for name, schema in kinds.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
