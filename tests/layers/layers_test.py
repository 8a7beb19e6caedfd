#!/usr/bin/env python3
"""Shows that check_layers.py can fail: each forbidden line, added to a copy, is found."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1]).resolve()
CHECK = SOURCE / "tests/layers/check_layers.py"
FOLDERS = ["core", "base", "registry", "drivers", "reconcilers", "controller", "cli", "simulator", "installer"]

FORBIDDEN = [  # file to add a line to, the line
    ("core/names.cpp", '#include "base/text/text.hpp"'),
    ("core/names.cpp", "#include <git2.h>"),
    ("base/text/text.cpp", "#include <spdlog/spdlog.h>"),
    ("base/text/text.cpp", '#include "registry/loader.hpp"'),
    ("base/log/log.hpp", "#include <spdlog/spdlog.h>"),
    ("base/text/text.cpp", "#include <boost/asio.hpp>"),
    ("base/text/text.cpp", '#include "text.hpp"'),
    ("reconcilers/power/extra.cpp", '#include "drivers/ipmi/client.hpp"'),
    ("reconcilers/power/extra.cpp", '#include "base/json/json.hpp"'),
    ("drivers/redfish/extra.cpp", '#include "drivers/ipmi/client.hpp"'),
    ("registry/extra.cpp", '#include "controller/queue.hpp"'),
    ("simulator/extra.cpp", '#include "drivers/ipmi/packet.hpp"'),
    ("simulator/extra.cpp", '#include "base/http/client.hpp"'),
    ("installer/extra.cpp", 'constexpr const char* kVariables = "/sys/firmware/efi/efivars";'),
]


def run(root):
    return subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)


def main():
    clean = run(SOURCE)
    if clean.returncode != 0:
        print(clean.stdout)
        return 1
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for name in FOLDERS:
            if (SOURCE / name).exists():
                shutil.copytree(SOURCE / name, copy / name)
        for name, line in FORBIDDEN:
            path = copy / name
            before = path.read_text() if path.exists() else None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((before or "") + "\n" + line + "\n")
            result = run(copy)
            if result.returncode != 1 or name not in result.stdout:
                print(f"not found: {line} in {name}\n{result.stdout}")
                failures += 1
            if before is None:
                path.unlink()
            else:
                path.write_text(before)
    print(f"{len(FORBIDDEN) - failures} of {len(FORBIDDEN)} forbidden lines found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
