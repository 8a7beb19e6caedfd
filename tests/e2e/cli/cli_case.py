"""What the tests of nimbusctl share: runs of the program, throw-away repositories, golden outputs.

NIMBUS_REFRESH_GOLDEN=1 writes the golden files instead of comparing; review the diff.
"""
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAMS = pathlib.Path(os.environ.get("NIMBUS_PROGRAMS", "build/dev/bin")).resolve()
NIMBUSCTL = PROGRAMS / "nimbusctl"
HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
GOLDEN = HERE / "golden"
LIMIT_S = 60

# Fixed, so that commit ids and ages in golden files do not move.
GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"], "LC_ALL": "C", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Alice", "GIT_AUTHOR_EMAIL": "alice@acme.example", "GIT_AUTHOR_DATE": "2026-11-01T10:00:00Z",
    "GIT_COMMITTER_NAME": "Alice", "GIT_COMMITTER_EMAIL": "alice@acme.example",
    "GIT_COMMITTER_DATE": "2026-11-01T10:00:00Z",
}


class CliCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="nimbusctl-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.home = self.scratch / "home"
        self.home.mkdir()

    def environment(self, **more):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8",
                **{k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "TSAN_", "LSAN_"))}, **more}

    def ctl(self, *arguments, code=0, cwd=None, environment=None, text=True, stdin=""):
        """Runs nimbusctl; fails the test unless it ends with `code` (None: any)."""
        result = subprocess.run([NIMBUSCTL, *map(str, arguments)], cwd=cwd or self.scratch, capture_output=True,
                                text=text, timeout=LIMIT_S, env=self.environment(**(environment or {})),
                                input=stdin if text else stdin.encode())
        if code is not None:
            self.assertEqual(result.returncode, code, f"nimbusctl {arguments}\n{result.stdout}\n{result.stderr}")
        return result

    def git(self, *arguments, cwd, check=True, stdin=None):
        return subprocess.run(["git", *map(str, arguments)], cwd=cwd, check=check, capture_output=True, text=True,
                              env=GIT_ENVIRONMENT, timeout=LIMIT_S, input=stdin)

    def repository(self, files, name="registry"):
        """A checkout with one commit of `files` on main."""
        folder = self.scratch / name
        folder.mkdir()
        self.git("init", "-q", "-b", "main", cwd=folder)
        self.commit(folder, files, "First")
        return folder

    def write(self, folder, files):
        for path, content in files.items():
            target = folder / path
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, folder, files, message):
        self.write(folder, files)
        self.git("add", "-A", cwd=folder)
        self.git("commit", "-q", "--allow-empty", "-m", message, cwd=folder)
        return self.git("rev-parse", "HEAD", cwd=folder).stdout.strip()

    def branch_of_files(self, repository, reference, files, message):
        """An orphan commit with exactly `files`, as nimbusd writes its status."""
        environment = {**GIT_ENVIRONMENT, "GIT_INDEX_FILE": str(self.scratch / "index")}

        def git(*arguments, data=b""):
            return subprocess.run(["git", *arguments], cwd=repository, check=True, env=environment, input=data,
                                  capture_output=True).stdout.decode().strip()

        git("read-tree", "--empty")
        for path, content in files.items():
            blob = git("hash-object", "-w", "--stdin", data=content if isinstance(content, bytes) else content.encode())
            git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = git("write-tree")
        commit = self.git("commit-tree", tree, "-m", message, cwd=repository).stdout.strip()
        self.git("update-ref", reference, commit, cwd=repository)
        return commit

    def golden(self, name, text):
        path = GOLDEN / name
        if os.environ.get("NIMBUS_REFRESH_GOLDEN"):
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text)
        self.assertEqual(path.read_text(), text, f"golden file {name}; NIMBUS_REFRESH_GOLDEN=1 writes it anew")

    def assert_safe_for_terminals(self, data):
        """No control characters but line ends, no C1, no bidirectional controls."""
        text = data.decode() if isinstance(data, bytes) else data
        bad = [c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\u202e\u202d\u2066\u2067"]
        self.assertEqual(bad, [])
