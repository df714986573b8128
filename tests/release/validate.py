"""Whether a file is CycloneDX 1.6: run by the Python that has the schema (requirements/release.in).

.venv/release/bin/python tests/release/validate.py FILE
"""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

if __name__ == "__main__":
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        sys.exit(f"{sys.argv[1]}: {problem.data.json_path}: {problem.data.message}")
