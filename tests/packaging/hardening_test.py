#!/usr/bin/env python3
"""Reads the hardening of built programs back from the files themselves.

    hardening_test.py --bin FOLDER [--build-type Debug|Release] [--sanitizer NAMES] [--compiler CXX]
                      [--programs NAME,…]

Flags in a build file prove nothing: a target may miss them, a linker may ignore
them. So every program in the folder is looked at with readelf. The checks are
tried first on two programs compiled here, one hardened and one as bad as can
be: a check that cannot fail would be worthless.
"""
import argparse
import os
import pathlib
import platform
import re
import struct
import subprocess
import sys
import tempfile
import unittest

SANITIZED = 77  # the exit code that ctest shows as "Skipped"

GOOD_FLAGS = ["-O2", "-fPIE", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3",
              "-pie", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
BAD_FLAGS = ["-O0", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-fcf-protection=none",
             "-no-pie", "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack", "-Wl,-rpath,/nowhere"]
SAMPLE = """
#include <cstdio>
#include <cstring>
int main(int, char** argv) {
  char small[8];
  std::strcpy(small, argv[0]);
  return std::puts(small) < 0;
}
"""


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, str(path)], check=True, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def segment(program_headers, name):
    """The flags of one segment ("RW", "RWE", …), or None."""
    for line in program_headers.splitlines():
        words = line.split()
        if words and words[0] == name:
            return "".join(words[6:-1])
    return None


def first_bytes_of_main(path):
    """The first four bytes of main(), or None where symbols were stripped."""
    address = None
    for line in readelf("--syms", path).splitlines():
        words = line.split()
        if len(words) >= 8 and words[-1] == "main" and words[3] == "FUNC":
            address = int(words[1], 16)
    if address is None:
        return None
    data = pathlib.Path(path).read_bytes()
    start, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for index in range(count):
        kind, _, offset, virtual, _, length = struct.unpack_from("<IIQQQQ", data, start + index * size)
        if kind == 1 and virtual <= address < virtual + length:  # PT_LOAD
            return data[offset + address - virtual:][:4]
    return None


def weaknesses(path, release, expect_cet_note):
    """What is missing in one program: a list of sentences, empty if nothing."""
    found = []
    headers, segments, dynamic = readelf("-h", path), readelf("-l", path), readelf("-d", path)
    imports = set(re.findall(r"(\w+_chk(?:_\w+)?)@", readelf("--dyn-syms", path)))

    if not re.search(r"Type:\s+DYN", headers) or not re.search(r"\(FLAGS_1\).*\bPIE\b", dynamic):
        found.append("not position independent (PIE)")
    if segment(segments, "GNU_RELRO") is None:
        found.append("no RELRO segment")
    if "BIND_NOW" not in dynamic and not re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic):
        found.append("lazy binding: RELRO is partial (no BIND_NOW)")
    stack = segment(segments, "GNU_STACK")
    if stack is None or "E" in stack:
        found.append("executable stack")
    if re.search(r"^\s+LOAD\b.*\bRWE\b", segments, re.MULTILINE):
        found.append("a segment is writable and executable")
    if not any(name.startswith("__stack_chk_") for name in imports):
        found.append("no stack canary")
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        found.append("looks for libraries in a folder of its own (RPATH or RUNPATH)")
    if release and not any(not name.startswith("__stack_chk_") for name in imports):
        found.append("no fortified library call (_FORTIFY_SOURCE)")
    if platform.machine() == "x86_64":
        main = first_bytes_of_main(path)
        if main is not None and main != bytes.fromhex("f30f1efa"):
            found.append("main() does not start with endbr64 (no -fcf-protection)")
        note = readelf("-n", path)
        if expect_cet_note and not ("IBT" in note and "SHSTK" in note):
            found.append("no IBT and SHSTK note")
    return found


def compile_sample(compiler, folder, name, flags):
    source, program = folder / "sample.cpp", folder / name
    source.write_text(SAMPLE)
    subprocess.run([compiler, *flags, "-w", "-o", str(program), str(source)], check=True)
    return program


class Hardening(unittest.TestCase):
    options = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.scratch.name)
        good = GOOD_FLAGS + (["-fcf-protection=full"] if platform.machine() == "x86_64" else [])
        bad = [f for f in BAD_FLAGS if platform.machine() == "x86_64" or "cf-protection" not in f]
        cls.good = compile_sample(cls.options.compiler, folder, "good", good)
        cls.bad = compile_sample(cls.options.compiler, folder, "bad", bad)
        # The note appears only if the C library's start-up objects carry it
        # too; Debian 12's do not.
        note = readelf("-n", cls.good)
        cls.expect_cet_note = "IBT" in note and "SHSTK" in note

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_a_hardened_program_passes(self):
        self.assertEqual(weaknesses(self.good, True, self.expect_cet_note), [])

    def test_every_check_can_fail(self):
        found = weaknesses(self.bad, True, True)
        expected = ["PIE", "no RELRO", "BIND_NOW", "executable stack", "stack canary", "RPATH", "_FORTIFY_SOURCE"]
        if platform.machine() == "x86_64":
            expected += ["endbr64", "IBT"]
        for words in expected:
            self.assertTrue(any(words in sentence for sentence in found), f"{words} not noticed in {found}")

    def test_every_program_is_hardened(self):
        folder = pathlib.Path(self.options.bin)
        programs = sorted(path for path in folder.iterdir() if path.is_file() and is_elf(path)) if folder.is_dir() else []
        missing = set(filter(None, self.options.programs.split(","))) - {path.name for path in programs}
        self.assertFalse(missing, f"not built in {folder}: {missing}")
        for program in programs:
            with self.subTest(program=program.name):
                release = self.options.build_type == "Release"
                self.assertEqual(weaknesses(program, release, self.expect_cet_note), [])
        print(f"checked: {', '.join(program.name for program in programs) or 'no programs'}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--build-type", default="Debug")
    parser.add_argument("--sanitizer", default="", help="as in -fsanitize=; such builds are not looked at")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--programs", default="", help="names that must be there, separated by commas")
    Hardening.options = parser.parse_args()
    if Hardening.options.sanitizer:
        print(f"skipped: built with -fsanitize={Hardening.options.sanitizer}, which replaces these protections")
        sys.exit(SANITIZED)
    unittest.main(argv=[sys.argv[0]], verbosity=2)


if __name__ == "__main__":
    main()
