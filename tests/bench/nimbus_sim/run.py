#!/usr/bin/env python3
"""All benchmarks of the simulator, one after the other, with the machine's load beside each.

  run.py NIMBUS_SIM [--rounds 5]

Exit 1 if one of them misses its mark: 1,000 machines idle below 300 MiB, 10,000 start within 20 s; a sweep of
ipmipower over 1,000 machines without loss and at least as fast as over packed ipmi_sim processes; half of nginx' GETs
per second of CPU. Needs nginx, freeipmi-tools and openipmi; some minutes.
"""
import argparse
import os
import pathlib
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--rounds", default="5")
arguments = parser.parse_args()
HERE = pathlib.Path(__file__).resolve().parent

failed = []
for name, flags in (("scale", []), ("redfish_vs_nginx", []), ("ipmi_vs_ipmi_sim", ["--rounds", arguments.rounds])):
    print(f"== {name} (load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores)", flush=True)
    if subprocess.run([sys.executable, HERE / f"{name}.py", arguments.program, *flags]).returncode != 0:
        failed.append(name)
print(f"== load {os.getloadavg()[0]:.1f}; " + (f"missed: {', '.join(failed)}" if failed else "all marks reached"))
raise SystemExit(1 if failed else 0)
