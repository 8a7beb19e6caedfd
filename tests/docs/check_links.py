#!/usr/bin/env python3
"""Every relative link of the Markdown pages leads somewhere, and every page below docs/ is in the index."""
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def anchors(path):
    """The anchors of a page's headings, made as forges make them."""
    made = set()
    for heading in re.findall(r"^#+ +(.*)$", path.read_text(), re.MULTILINE):
        made.add(re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-"))
    return made


def problems():
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "*.md"], capture_output=True, text=True)
    names = listed.stdout.split() if listed.returncode == 0 else [str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*.md")]
    pages = [SOURCE / name for name in names if (SOURCE / name).exists() and not name.startswith(("build/", ".venv/"))]
    for page in pages:
        for target in LINK.findall(CODE.sub("", page.read_text())):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            aim = (page.parent / path).resolve() if path else page
            if not aim.exists():
                yield f"{page.relative_to(SOURCE)}: {target} leads nowhere"
            elif anchor and aim.suffix == ".md" and anchor not in anchors(aim):
                yield f"{page.relative_to(SOURCE)}: {target}: no such heading"
    index = (SOURCE / "docs" / "README.md").read_text()
    for page in pages:
        if page.is_relative_to(SOURCE / "docs") and page.name != "README.md":
            if str(page.relative_to(SOURCE / "docs")) not in index:
                yield f"docs/README.md: {page.relative_to(SOURCE / 'docs')} is not in the index"


def main():
    found = list(problems())
    print("\n".join(found) or "all links lead somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
