#!/usr/bin/env python3
"""The tutorial "Your first site", typed in word by word: only its addresses and ports are others, and what it waits
for is asked again until it is there."""
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

from harness.ports import free_tcp_port

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("NIMBUS_PROGRAMS", "build/dev/bin")).resolve()
PAGE = SOURCE / "docs" / "tutorials" / "first-site.md"
LIMIT_S = 60 * int(os.environ.get("NIMBUS_TEST_SLOWNESS", "1"))
BLOCK = re.compile(r"(?:<!-- shows: (?P<shows>.*?) -->\n)?```sh\n(?P<text>.*?)```", re.DOTALL)


class Tutorial(unittest.TestCase):
    def test_every_block_does_what_the_page_says(self):
        text = PAGE.read_text()
        text = text.replace("127.1.0.", f"127.{random.randint(20, 250)}.{random.randint(1, 250)}.")
        text = re.sub(r"--allow 127\.1\.0\.0/16|--allow 127\.\d+\.\d+\.0/16", "--allow 127.0.0.0/8", text)
        for port in ("8099", "9640"):
            text = text.replace("127.0.0.1:" + port, f"127.0.0.1:{free_tcp_port()}")
        blocks = list(BLOCK.finditer(text))
        self.assertGreater(len(blocks), 12)
        script = ["set -eu"]
        for number, block in enumerate(blocks):
            lines = block["text"].rstrip("\n")
            script.append(f"echo '== block {number}' >&2")
            if block["shows"] is None:
                script.append(lines)
                continue
            pattern = block["shows"].replace("'", "'\\''")
            script.append(f"deadline=$((SECONDS + {LIMIT_S}))\nwhile :; do\n{{ {lines}\n}} > ~/shown 2>&1 || :\n"
                          f"python3 -c 'import re,sys; sys.exit(not re.search(sys.argv[1], open(sys.argv[2]).read()))' '{pattern}' ~/shown && break\n"
                          f"[ $SECONDS -lt $deadline ] || {{ cat ~/shown >&2; exit 1; }}\nsleep 0.3\ndone")
        with tempfile.TemporaryDirectory(prefix="nimbus-tutorial-") as home:
            environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": home, "LC_ALL": "C.UTF-8",
                           "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Alice", "GIT_AUTHOR_EMAIL": "a@acme.example",
                           "GIT_COMMITTER_NAME": "Alice", "GIT_COMMITTER_EMAIL": "a@acme.example"}
            # Job control, so that %1 and %2 are what the page means; and nothing outlives the shell.
            script.insert(0, "set -m\ntrap 'jobs -p | xargs -r kill 2>/dev/null || :' EXIT")
            result = subprocess.run(["bash", "-c", "\n".join(script)], env=environment, cwd=home, capture_output=True, text=True,
                                    timeout=8 * LIMIT_S)
            self.assertEqual(result.returncode, 0, result.stdout[-3000:] + result.stderr[-6000:])
            self.assertFalse((pathlib.Path(home) / "nimbus-first").exists())


if __name__ == "__main__":
    unittest.main()
