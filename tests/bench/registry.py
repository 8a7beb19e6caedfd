#!/usr/bin/env python3
"""All figures about reading registries, each as a ratio against a peer in the same run.

    cmake --preset bench && cmake --build --preset bench --target bench_registry_load nimbusctl
    tests/bench/registry.py [--quick] [BUILD]         BUILD: default build/bench

--quick leaves out 100,000 machines. Ends with 1 if a limit is broken. Figures of a
busy machine are worth little: the load average is printed.
"""
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

PAIRS = 7
BATCH = "git -C {0} ls-tree -r HEAD | cut -d' ' -f3 | cut -f1 | git -C {0} cat-file --batch"


def spent(work):
    """User CPU, user and system CPU, and wall time of `work` with its children, in milliseconds."""
    def now():
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        user = sum(usage.ru_utime for usage in usages)
        return user, user + sum(usage.ru_stime for usage in usages), time.monotonic()
    before = now()
    work()
    return [(b - a) * 1e3 for a, b in zip(before, now())]


def run(*command, shell=False):
    subprocess.run(command[0] if shell else command, check=True, stdout=subprocess.DEVNULL, shell=shell)


class Report:
    def __init__(self):
        self.broken = []

    def ratio(self, what, value, limit=None):
        verdict = ""
        if limit is not None:
            verdict = f"   limit {limit}   {'ok' if value <= limit else 'BROKEN'}"
            if value > limit:
                self.broken.append(what)
        print(f"  {what:<58} {value:>8.2f}{verdict}", flush=True)


def load(report, bench, machines):
    """The program's own pairs: load from a bare repository against parsing alone."""
    text = subprocess.run([bench, str(machines)], check=True, capture_output=True, text=True).stdout
    value = {label.strip(): float(number)
             for label, number in re.findall(r"^(.*?)  +([0-9.]+)", text, re.MULTILINE)}
    share = float(re.search(r"([0-9.]+) % of a full load", text).group(1))
    full = value["load and validate, from git"]
    print(f"{machines} machines: full load {full:.0f} ms, toml++ alone {value['toml++ alone, from memory']:.0f} ms, "
          f"a commit of ten files {value['a commit of ten files']:.1f} ms")
    report.ratio("full load / toml++ parsing the same bytes", value["ratio"], 3)
    report.ratio("a commit of ten files, % of the full load", share, 2)
    report.ratio("memory per machine, KiB", value["memory per machine"] / 1024, 4)
    return full


def validate(report, bench, nimbusctl, machines):
    """nimbusctl validate against git's own programs and the same parser."""
    with tempfile.TemporaryDirectory(prefix="nimbus-bench-") as scratch:
        repository = pathlib.Path(scratch) / "registry"
        run(bench, str(machines), str(repository))
        batch = BATCH.format(repository)
        ours, theirs = [], []
        for _ in range(PAIRS):
            ours.append(spent(lambda: run(nimbusctl, "validate", "--quiet", str(repository))))
            theirs.append(spent(lambda: run(f"{batch} | {bench} parse", shell=True)))

        def ratio(kind):
            return statistics.median(our[kind] / their[kind] for our, their in zip(ours, theirs))
        print(f"{machines} machines: nimbusctl validate {statistics.median(our[1] for our in ours):.0f} ms, "
              f"git ls-tree + cat-file + toml++ {statistics.median(their[1] for their in theirs):.0f} ms, user and system")
        report.ratio("nimbusctl validate / git ls-tree + cat-file + toml++", ratio(1), 1.5)
        report.ratio("  without the system's share, which is pipes and forks", ratio(0))
        report.ratio("  wall time; theirs is three programs side by side", ratio(2))

        def with_tomllib():
            data = subprocess.run(batch, shell=True, check=True, capture_output=True).stdout
            at = files = 0
            while at < len(data):
                end = data.index(b"\n", at)
                size = int(data[at:end].rsplit(b" ", 1)[1])
                tomllib.loads(data[end + 1:end + 1 + size].decode())
                at = end + 2 + size
                files += 1
            assert files >= machines
        python = statistics.median(spent(with_tomllib)[1] for _ in range(3))
        print(f"{machines} machines: Python tomllib, no checks at all {python:.0f} ms")
        report.ratio("Python tomllib without checks / nimbusctl validate", python / statistics.median(our[1] for our in ours))


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    build = pathlib.Path(words[0] if words else "build/bench")
    bench, nimbusctl = build / "tests/bench/bench_registry_load", build / "bin/nimbusctl"
    for program in (bench, nimbusctl):
        if not program.exists():
            sys.exit(f"{program} is missing: see the top of this file")
    report = Report()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians of {PAIRS} interleaved pairs, user CPU")
    small = load(report, bench, 10_000)
    validate(report, bench, nimbusctl, 10_000)
    if "--quick" not in sys.argv:
        large = load(report, bench, 100_000)
        report.ratio("growth from 10,000 to 100,000, per machine", large / small / 10, 1.5)
    print(f"load average {os.getloadavg()[0]:.1f}")
    sys.exit(f"broken limits: {', '.join(report.broken)}" if report.broken else 0)


if __name__ == "__main__":
    main()
