#!/usr/bin/env python3
"""Tests that the tables of ids name exist: check_named_tests.py SOURCE_FOLDER"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
sources = "".join(path.read_text() for folder in ("unit", "peers") for path in sorted((root / "tests" / folder).rglob("*.cpp")))
cases = set(re.findall(r'TEST_CASE(?:_FIXTURE)?\((?:[\w:]+,\s*)?"([^"]+)"', sources))
wrong = []
# page, where its tables begin, how many rows there are at least
for name, start, least in (("ipmi", "## What hardware taught", 20), ("field-rules", "# What hardware taught", 90)):
    page = (root / "docs" / "explanation" / f"{name}.md").read_text()
    rows = re.findall(r"^\| ([A-Z]{2}-\d+)[^|]* \|(.*)\|([^|]*)\|$", page[page.index(start):], re.MULTILINE)
    if len(rows) < least:
        wrong.append(f"{name}.md: {len(rows)} rows, where there were {least}")
    for row, _, names in rows:
        wrong += [f"{name}.md: {row}: no test '{test}'" for test in re.findall(r"`([^`]+)`", names)
                  if test not in cases and not (root / test).is_file()]
if wrong:
    sys.exit("\n".join(wrong))
