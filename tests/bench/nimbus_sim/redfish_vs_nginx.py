#!/usr/bin/env python3
"""CPU of one keep-alive GET of a System resource over TLS: nimbus-sim against nginx serving
the same bytes from a file, with the same certificate, clients and order.

  redfish_vs_nginx.py NIMBUS_SIM [--requests 20000] [--connections 20]

Prints GETs per second of server CPU for both and the ratio; exit 1 if it is below 0.5.
"""
import argparse
import base64
import os
import shutil
import subprocess
import tempfile
import time

import bench

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--requests", type=int, default=20000)
parser.add_argument("--connections", type=int, default=20)
arguments = parser.parse_args()

folder = tempfile.mkdtemp(prefix="nimbus-bench-")
sim, _ = bench.start_simulator(arguments.program, f"""format = 1
certificate = "{folder}/certificate"
[[machine]]
name = "n{{n}}"
count = {arguments.connections}
redfish = "127.78.0.1:18443"
""", folder)
login = "Authorization: Basic " + base64.b64encode(b"admin:password").decode() + "\r\n"
path = "/redfish/v1/Systems/1"
simulated = [bench.KeptConnection(f"127.78.0.{i + 1}", 18443, path, login) for i in range(arguments.connections)]
body = simulated[0].get()
os.makedirs(folder + "/www/redfish/v1/Systems")
with open(folder + "/www" + path, "wb") as file:
    file.write(body)
with open(folder + "/nginx.conf", "w") as file:
    file.write(f"""worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  server {{
    listen 127.78.1.1:18444 ssl;
    ssl_certificate {folder}/certificate/cert.pem;
    ssl_certificate_key {folder}/certificate/key.pem;
    root {folder}/www;
    default_type application/json;
  }}
}}
""")
os.chmod(folder, 0o755)
nginx = subprocess.Popen(["nginx", "-p", folder, "-c", folder + "/nginx.conf"], stderr=subprocess.DEVNULL)
for _ in range(100):
    try:
        served = [bench.KeptConnection("127.78.1.1", 18444, path) for _ in range(arguments.connections)]
        break
    except OSError:
        time.sleep(0.05)
assert served[0].get() == body


def rate(connections, pids):
    before = bench.cpu_seconds(pids)
    for i in range(arguments.requests):
        connections[i % len(connections)].get()
    return arguments.requests / (bench.cpu_seconds(pids) - before)


rounds = []
for _ in range(3):  # in turn, so that a busy machine hurts both
    rounds.append((rate(simulated, [sim.pid]), rate(served, [nginx.pid, *bench.children(nginx.pid)])))
for own, peer in rounds:
    print(f"nimbus-sim {own:8.0f} GET/s of CPU   nginx {peer:8.0f}   ratio {own / peer:.2f}")
ratio = sorted(own / peer for own, peer in rounds)[1]
print(f"median ratio {ratio:.2f} (body {len(body)} bytes)")
bench.end(nginx)
bench.end(sim)
shutil.rmtree(folder)
raise SystemExit(0 if ratio >= 0.5 else 1)
