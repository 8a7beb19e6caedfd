#!/usr/bin/env python3
"""How long many machines take to start, and what they cost when idle.

  scale.py NIMBUS_SIM

1,000 machines must idle below 300 MiB, also with a kept TLS connection to each; 10,000 must start within 20 s; exit
1 otherwise.
"""
import base64
import resource
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
    if count == 1000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
        login = "Authorization: Basic " + base64.b64encode(b"admin:password").decode() + "\r\n"
        kept = [bench.KeptConnection(f"127.78.{i // 254}.{i % 254 + 1}", 18443, "/redfish/v1/Systems/1", login) for i in range(count)]
        for connection in kept:
            connection.get()
        memory = bench.memory_mib(process.pid)
        print(f"{count:6d} machines with a kept TLS connection each: {memory:.0f} MiB")
        del kept
    ok = ok and (count != 1000 or memory < 300) and (count != 10000 or seconds < 20)
    bench.end(process)
shutil.rmtree(folder)
raise SystemExit(0 if ok else 1)
