"""Prints what one prescription costs, stage by stage, and the rate of the FHIR check.

python -m bench [--record COMMIT]
"""

import argparse
import json

from bench import report
from bench.fhir import compare
from bench.stages import rows, table

SECONDS = 5.0

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="python -m bench")
    arguments.add_argument("--record", metavar="COMMIT", help="write docs/performance.json and docs/performance.md")
    commit = arguments.parse_args().record
    checked = compare(SECONDS)
    measured = rows()
    print(table(measured))
    print(json.dumps(checked, indent=2))
    if commit:
        report.write(report.figures(((row.stage, row.microseconds) for row in measured), checked, commit=commit))
