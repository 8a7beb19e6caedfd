#!/usr/bin/env python3
"""Checks every #include of the product against the layers of docs/explanation/architecture.md.

  check_layers.py SOURCE_FOLDER     exit 0: no breach; 1: breaches, one a line

Three rules: a folder includes only folders that its row names; a third-party header appears in
its one wrapper folder only, and there only in .cpp files; and what a folder must not touch is not
named in it.
"""
import pathlib
import re
import sys

BASE = ["base/text", "base/time", "base/log", "base/crypto", "base/file", "base/net", "base/tls", "base/json",
        "base/toml", "base/http", "base/process", "base/sqlite", "base/metrics", "base/args", "base/compress", "base/plain_http",
        "base/secrets"]

# folder -> the folders that it may include, besides itself. "base" means every tool.
MAY_INCLUDE = {
    "core": [],
    "base": ["core", "base"],
    "registry": ["core", "base"],
    "drivers/redfish": ["core", "base"],
    "drivers/ipmi": ["core", "base"],
    "drivers/ssh": ["core", "base"],
    "drivers": ["core", "base", "drivers/redfish", "drivers/ipmi", "drivers/ssh"],
    "reconcilers": ["core"],
    "controller": ["core", "base", "registry", "drivers", "drivers/redfish", "drivers/ipmi", "drivers/ssh",
                   "reconcilers", "boot/protocol"],
    # What nimbusd, nimbus-boot and the installer say to each other.
    "boot/protocol": ["core", "base"],
    "boot": ["core", "base", "boot/protocol"],
    "cli": ["core", "base", "registry", "reconcilers", "drivers", "drivers/redfish", "drivers/ipmi", "drivers/ssh"],
    "installer": ["core", "base", "boot/protocol"],
    # The simulator must not share the drivers' understanding of a protocol.
    "simulator": ["core", "base/text", "base/time", "base/log", "base/file", "base/crypto", "base/net", "base/tls",
                  "base/json", "base/toml", "base/args"],
}

# header prefix -> the only folder that may include it
THIRD_PARTY = {
    "git2": "registry/git",
    "httplib": "base/http",
    "toml++": "base/toml",
    "rapidjson": "base/json",
    "openssl": ("base/crypto", "base/tls", "base/http"),
    "spdlog": "base/log",
    "sqlite3": "base/sqlite",
    "prometheus": "base/metrics",
    "CLI": "base/args",
    "libssh": "drivers/ssh",
    "yaml-cpp": "base/yaml",
    "curl": "base/http",
    "zstd": "base/compress",
    "lzma": "base/compress",
    "zlib": "base/compress",
}
# folder -> what must not be touched there. Boot entries of the firmware: the override of the BMC is the
# only one that writes what boots next (docs/explanation/field-rules.md, RF-59).
MUST_NOT_NAME = {"installer": ("efivar", "efibootmgr", "BootOrder")}

# Small vocabulary headers that core itself is built on.
EVERYWHERE = ("fmt", "tl")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def row_of(path):
    """The longest row of MAY_INCLUDE that `path` lies in."""
    rows = [row for row in MAY_INCLUDE if path == row or path.startswith(row + "/")]
    return max(rows, key=len) if rows else None


def allowed(row, target):
    folder = str(pathlib.PurePosixPath(target).parent)
    if row_of(target) == row:
        return True
    for entry in MAY_INCLUDE[row]:
        if entry == "base" and folder.startswith("base/"):
            return True
        if "/" in entry and entry.startswith("base/"):
            if folder == entry:
                return True
        elif row_of(target) == entry:
            return True
    return False


def problems(root):
    for row in sorted({row.split("/")[0] for row in MAY_INCLUDE}):
        for path in sorted((root / row).rglob("*")):
            if path.suffix not in (".cpp", ".hpp", ".h", ".c"):
                continue
            name = path.relative_to(root).as_posix()
            own = row_of(name)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                for word in MUST_NOT_NAME.get(own, ()):
                    if word in line:
                        yield f"{name}:{number}: {own}/ may not touch {word}"
                match = INCLUDE.match(line)
                if not match:
                    continue
                kind, target = match.groups()
                where = f"{name}:{number}"
                first = re.split(r"[/.]", target)[0]
                if row_of(target):
                    if not allowed(own, target):
                        yield f"{where}: {own}/ may not include {target}"
                elif kind == '"':
                    yield f'{where}: "{target}" is no path from the top folder'
                elif first in THIRD_PARTY:
                    homes = THIRD_PARTY[first]
                    homes = (homes,) if isinstance(homes, str) else homes
                    if not any(name.startswith(home + "/") for home in homes):
                        yield f"{where}: <{target}> belongs in {' or '.join(homes)} only"
                    elif path.suffix == ".hpp":
                        yield f"{where}: <{target}> may be included by a .cpp only"
                elif "/" in target and first not in EVERYWHERE and not target.startswith(
                        ("sys/", "netinet/", "arpa/", "net/", "linux/", "scsi/", "bits/")):
                    yield f"{where}: <{target}> has no wrapper folder in check_layers.py"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(problems(root))
    for problem in found:
        print(problem)
    if not found:
        print("layers: no breach")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
