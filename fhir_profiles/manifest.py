"""Lists what is in this package, with versions and digests: `python -m fhir_profiles.manifest` writes `MANIFEST.toml`.

A test compares the list with the files, so that no profile changes without its version being looked at.
"""

import hashlib
import json
from pathlib import Path

FOLDER = Path(__file__).parent
TARGET = FOLDER / "MANIFEST.toml"
HEAD = """# What this package holds. Written by `python -m fhir_profiles.manifest`; a test compares it with the files.

fhir_version = "4.0.1"
"""


def text() -> str:
    """Give the list as TOML: one table for each JSON file, in the order of their paths."""
    files = sorted(FOLDER.rglob("*.json"), key=lambda file: file.relative_to(FOLDER).as_posix())
    return HEAD + "".join(map(_row, files))


def _row(file: Path) -> str:
    content = file.read_bytes()
    definition = json.loads(content)
    known = {
        "path": file.relative_to(FOLDER).as_posix(),
        "url": definition.get("url", ""),
        "version": definition.get("version") or definition["provenance"]["definitions"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return "\n[[file]]\n" + "".join(f'{key} = "{value}"\n' for key, value in known.items() if value)


if __name__ == "__main__":
    TARGET.write_text(text())
