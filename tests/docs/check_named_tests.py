#!/usr/bin/env python3
"""Tests that the explanation of IPMI names exist: check_named_tests.py SOURCE_FOLDER"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
page = (root / "docs" / "explanation" / "ipmi.md").read_text()
sources = "".join(path.read_text() for folder in ("unit/drivers/ipmi", "peers/ipmi")
                  for path in sorted((root / "tests" / folder).glob("*.cpp")))
cases = set(re.findall(r'TEST_CASE\("([^"]+)"\)', sources))
rows = re.findall(r"^\| (IP-\d+) \|.*\| ([^|]*) \|$", page[page.index("## What hardware taught"):], re.MULTILINE)
missing = [f"{row}: {name}" for row, names in rows for name in re.findall(r"`([^`]+)`", names)
           if name not in cases and not (root / name).is_file()]
if missing or len(rows) < 20:
    sys.exit("\n".join(missing) or "the table of ids is gone")
