#!/usr/bin/env python3
"""A sweep of ipmipower --stat over 1,000 machines: nimbus-sim in one process against
OpenIPMI's ipmi_sim, packed about 120 BMCs to a process, in the same run.

  ipmi_vs_ipmi_sim.py NIMBUS_SIM [--machines 1000] [--rounds 5]

Both answer on the same kind of addresses, with cipher suite 3 (the best that Debian's
ipmi_sim has). Exit 1 if an answer is lost or the median sweep of nimbus-sim is slower.
"""
import argparse
import os
import shutil
import subprocess
import tempfile
import time

import bench

PER_PROCESS = 120
PORT = 18623

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--machines", type=int, default=1000)
parser.add_argument("--rounds", type=int, default=5)
arguments = parser.parse_args()
folder = tempfile.mkdtemp(prefix="nimbus-bench-")


def address(net, index):
    return f"127.{net}.{index // 254}.{index % 254 + 1}"


def ranges(net):
    parts = []
    for first in range(0, arguments.machines, 254):
        last = min(254, arguments.machines - first)
        parts.append(f"127.{net}.{first // 254}.[1-{last}]:{PORT}")
    return ",".join(parts)


def start_ipmi_sim(number, indexes):
    """One process; every BMC is a management controller with a LAN of its own."""
    home = os.path.join(folder, f"ipmi_sim-{number}")
    os.makedirs(home + "/state/ipmi_sim/bench")
    with open(home + "/chassis", "w") as file:  # called for every question about power
        file.write("#!/bin/sh\necho power:1\n")
    os.chmod(home + "/chassis", 0o755)
    lan, commands = ['name "bench"'], ["mc_setbmc 0x20"]
    controllers = [0x20] + [c for c in range(2, 254, 2) if c != 0x20]
    for controller, index in zip(controllers, indexes):
        lan.append(f"""set_working_mc {controller:#x}
startlan 1
  addr {address(80, index)} {PORT}
  priv_limit admin
  allowed_auths_admin md5
  guid 4e696d6275734c6162000000{index:08x}
endlan
{'' if MODULE else f'chassis_control "{home}/chassis"'}
user 2 true "admin" "password" admin 10""")
        commands.append(f"mc_add {controller:#x} 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable {controller:#x}")
    if MODULE:
        lan.insert(1, f'loadlib "{MODULE}" "{home}"')
    for name, lines in (("lan.conf", lan), ("cmds.emu", commands)):
        with open(os.path.join(home, name), "w") as file:
            file.write("\n".join(lines) + "\n")
    log = open(home + "/log", "w")
    return subprocess.Popen(["ipmi_sim", "-n", "-c", "lan.conf", "-f", "cmds.emu", "-s", "state"], cwd=home, stdout=log, stderr=log,
                            stdin=subprocess.DEVNULL, env={**os.environ, **({"LD_PRELOAD": MODULE} if MODULE else {})})


def sweep(net):
    began = time.monotonic()
    done = subprocess.run(["ipmipower", "-D", "LAN_2_0", "-I", "3", "-W", "opensesspriv", "-h", ranges(net), "-u", "admin", "-p", "password", "--stat"],
                          capture_output=True, text=True, timeout=120)
    seconds = time.monotonic() - began
    answers = sum(line.endswith((": on", ": off")) for line in done.stdout.splitlines())
    return seconds, answers


MODULE = os.environ.get("IPMI_SIM_MODULE", "")  # answers power in the process, instead of by script
sim, _ = bench.start_simulator(arguments.program, f"""format = 1
[[machine]]
name = "n{{n}}"
count = {arguments.machines}
ipmi = "127.79.0.1:{PORT}"
""", folder)
indexes = list(range(arguments.machines))
peers = [start_ipmi_sim(i // PER_PROCESS, indexes[i:i + PER_PROCESS]) for i in range(0, arguments.machines, PER_PROCESS)]
time.sleep(3)
results = []
for _ in range(arguments.rounds):
    results.append((*sweep(79), *sweep(80)))
    print("nimbus-sim {:.2f} s, {} answers   ipmi_sim {:.2f} s, {} answers".format(*results[-1]), flush=True)
own = sorted(r[0] for r in results)[len(results) // 2]
peer = sorted(r[2] for r in results)[len(results) // 2]
print(f"median: nimbus-sim {own:.2f} s ({bench.cpu_seconds([sim.pid]):.2f} s CPU in all), ipmi_sim {peer:.2f} s "
      f"({bench.cpu_seconds([p.pid for p in peers]):.2f} s CPU in all), {peer / own:.1f} times as fast")
for process in peers:
    process.terminate()
for process in peers:
    process.wait(10)
bench.end(sim)
shutil.rmtree(folder)
raise SystemExit(0 if own <= peer and all(r[1] == arguments.machines for r in results) else 1)
