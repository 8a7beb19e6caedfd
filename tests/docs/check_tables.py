#!/usr/bin/env python3
"""The tables of docs/reference/log.md and metrics.md name exactly what the sources use."""
import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
LOG_CALL = re.compile(r'\blog\([^";]*Level::[^";]*"([a-z][a-z-]+)"')
TROUBLE = re.compile(r'Trouble \w+\("([a-z-]+)", "([a-z-]+)"\)')
METRIC = re.compile(r'declare_\w+\("((?:nimbus|process)_\w+)"')


def table(page):
    """The first column's code words."""
    text = (SOURCE / "docs/reference" / page).read_text()
    return set(re.findall(r"^\| `([\w-]+)`", text, re.MULTILINE))


def sources(folder):
    for path in sorted((SOURCE / folder).rglob("*.cpp")):
        yield path.read_text()


def compare(page, used):
    documented = table(page)
    for name in sorted(used - documented):
        print(f"{page}: {name} is missing")
    for name in sorted(documented - used):
        print(f"{page}: {name} is in no source")
    return used != documented or not used


def main():
    log_ids, metrics = set(), set()
    for folder in ("base", "boot", "controller", "drivers", "registry", "reconcilers"):
        for text in sources(folder):
            log_ids.update(LOG_CALL.findall(text))
            for pair in TROUBLE.findall(text):
                log_ids.update(pair)
            metrics.update(METRIC.findall(text))
    wrong = compare("log.md", log_ids)
    wrong = compare("metrics.md", metrics) or wrong
    print(f"{len(log_ids)} log ids, {len(metrics)} metrics")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
