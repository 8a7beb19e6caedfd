#!/usr/bin/env python3
"""Each quirk of the Redfish driver's table has the simulator's toggle of the same id and is exercised by the
peer tests; the documentation lists exactly these, and where each is tested. Each Redfish toggle of the
simulator is exercised too, whether the driver needs a rule for it or not; its IPMI toggles by its own unit tests."""
import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
# No toggle: what the simulator does not have (lists that expand, an own drive that boots, account slots).
UNIT_TESTS_ONLY = {"IP-01", "RF-15", "VM-11", "AC-01"}
# Toggles that no driver call meets.
UNUSED = {"BM-07"}


def read(path):
    return (SOURCE / path).read_text()


def tests(folder):
    return "\n".join(path.read_text() for path in sorted((SOURCE / folder).rglob("*.cpp")))


def main():
    driver = set(re.findall(r'^\s+\{"([A-Z]{2}-\d+[a-z]?)", Effect::', read("drivers/redfish/quirks.cpp"), re.MULTILINE))
    toggles = set(re.findall(r'QuirkInfo\{\s*\w+,\s*"((?:RF|PW|VM|BM|IV)-\d+[a-z]?)"', read("simulator/model/quirks.cpp")))
    peers, units = tests("tests/peers/redfish"), tests("tests/unit/drivers/redfish")
    page = read("docs/explanation/redfish.md").split("## Quirks", 1)[1].split("\n## ", 1)[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| ([^|]+) \|$", page, re.MULTILINE))
    wrong = []
    for quirk in sorted(driver):
        if (quirk in toggles) == (quirk in UNIT_TESTS_ONLY):
            wrong.append(f"{quirk}: the simulator's toggle and the exception in this test disagree")
        if quirk not in rows:
            wrong.append(f"{quirk}: not in docs/explanation/redfish.md")
        elif f'"{quirk}"' not in (units if quirk in UNIT_TESTS_ONLY else peers):
            wrong.append(f"{quirk}: no test names it")
    wrong += [f"{quirk}: documented and in no table" for quirk in sorted(rows.keys() - driver)]
    for quirk in sorted(toggles):
        if (f'"{quirk}"' in peers) == (quirk in UNUSED):
            wrong.append(f"{quirk}: the peer tests and the exception in this test disagree")
    ipmi = [(name, quirk) for name, quirk in re.findall(r'QuirkInfo\{\s*(\w+),\s*"([^"]+)"', read("simulator/model/quirks.cpp"))
            if quirk not in toggles]
    simulated = tests("tests/unit/simulator")
    wrong += [f"{quirk}: no unit test of the simulator sets {name}" for name, quirk in ipmi if f"Quirk::{name}" not in simulated]
    for quirk, where in rows.items():
        name = re.fullmatch(r"`([\w/.]+)`", where.strip())
        if not name or f'"{quirk}"' not in read("tests/" + name[1]):
            wrong.append(f"{quirk}: {where.strip()} does not test it")
    print("\n".join(wrong) or f"{len(driver)} quirks of the driver, {len(toggles)} toggles of Redfish, {len(ipmi)} of IPMI")
    return 1 if wrong or not driver or not toggles or not ipmi else 0


if __name__ == "__main__":
    sys.exit(main())
