#!/usr/bin/env python3
"""How long many machines take to start, and what they cost when idle.

  scale.py NIMBUS_SIM

1,000 machines must idle below 300 MiB, 10,000 must start within 20 s; exit 1 otherwise.
"""
import shutil
import sys
import tempfile

import bench

folder = tempfile.mkdtemp(prefix="nimbus-bench-")
ok = True
for count in (1000, 10000):
    process, seconds = bench.start_simulator(sys.argv[1], f"""format = 1
[[machine]]
name = "n{{n}}"
count = {count}
redfish = "127.78.0.1:18443"
ipmi = "127.78.0.1:18623"
""", folder)
    memory = bench.memory_mib(process.pid)
    print(f"{count:6d} machines: start {seconds:.2f} s, {memory:.0f} MiB")
    ok = ok and (count != 1000 or memory < 300) and (count != 10000 or seconds < 20)
    bench.end(process)
shutil.rmtree(folder)
raise SystemExit(0 if ok else 1)
