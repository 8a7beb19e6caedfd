#!/usr/bin/env python3
"""Runs the IPMI driver's peer tests: run.py NIMBUS_SIM TEST_PROGRAM [doctest options]

Starts BMCs of OpenIPMI's ipmi_sim, one of pyghmi and a fleet of nimbus-sim on loopback, tells the program
where they are (environment), and ends them.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ipmi_sim"))
sys.path.insert(0, str(HERE.parent / "nimbus_sim"))
from ipmi_sim import PROBE, Fleet, free_port  # noqa: E402
import simulator  # noqa: E402

PYGHMI_ADDRESS = "127.41.0.1"

# One machine of nimbus-sim for each vendor profile and each quirk of IPMI, others for faults.
PROFILES = ("polite", "idrac9", "idrac10", "ilo5", "ilo6", "xcc", "supermicro", "openbmc", "ami", "cisco")
QUIRKS = ("IP-01", "IP-04", "IP-09", "IP-10", "IP-12", "IP-20", "IP-21", "IP-22", "opensesspriv", "supermicro20",
          "integritycheckvalue", "sun20", "authcap", "intel20", "nochecksumcheck",
          "bootflagsvalid")
OTHERS = ("drop", "delay", "garbage", "busy", "refuse", "duplicate", "lie", "stale", "restart", "sessions", "users", "reset",
          "boot", "console")
FAST = ('[defaults.timing]\npower_on = "50ms"\npower_off = "50ms"\nsoft_off = "50ms"\npost = "100ms"\n'
        'bmc_reset = "500ms"\n')


# Parts of the program that run at the same time: most of their time they wait.
PARTS = (["-tc=bad networks"], ["-tc=a lost answer to a reset*"], ["-sf=*nimbus_sim_test.cpp"],
         ["-tce=bad networks,a lost answer to a reset*", "-sfe=*nimbus_sim_test.cpp"])


def run_parts(program, environment):
    children = [subprocess.Popen([program, *part], env=environment) for part in PARTS]
    return max(abs(child.wait()) for child in children)


def start_simulator():
    """The simulator, and "name address:port" of each machine."""
    machines = [(f"p-{profile}", f'profile = "{profile}"') for profile in PROFILES]
    machines += [(f"q-{quirk}", f'quirks = ["{quirk}"]') for quirk in QUIRKS]
    machines += [(f"f-{other}", "") for other in OTHERS]
    text = "".join(f'[[machine]]\nname = "{name}"\nserial = "SN-{name}"\nipmi = "127.43.0.{i + 1}:{{udp}}"\n{line}\n'
                   for i, (name, line) in enumerate(machines))
    sim = simulator.Simulator(text, FAST)
    return sim, [f"{name} 127.43.0.{i + 1}:{sim.udp}" for i, (name, _) in enumerate(machines)]


def serve_serial_line(connection):
    """A line that echoes, and answers "word" with "[word]" and a prompt."""
    word = b""
    while piece := connection.recv(1000):
        for byte in piece:
            if byte in b"\r\n":
                connection.sendall(b"\r\n[" + word + b"]\r\nready> ")
                word = b""
            else:
                word += bytes([byte])
                connection.sendall(bytes([byte]))


def start_serial_line():
    """The port of a server each of whose connections is a serial line; it ends with this program."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            threading.Thread(target=serve_serial_line, args=(server.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def start_pyghmi(folder):
    port = free_port([PYGHMI_ADDRESS])
    log = open(folder / "pyghmi.log", "wb")
    # Debian's interpreter: the package installs for no other.
    child = subprocess.Popen(["/usr/bin/python3", HERE / "pyghmi_bmc.py", PYGHMI_ADDRESS, str(port)], stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect((PYGHMI_ADDRESS, port))
        while True:
            try:
                probe.send(PROBE)
                probe.recv(512)
                return child, port
            except OSError:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("pyghmi's BMC did not start:\n" + (folder / "pyghmi.log").read_text())
                time.sleep(0.05)


def main():
    for program in ("ipmi_sim", "ipmitool", "curl"):
        if not shutil.which(program):
            sys.exit(f"{program} is missing: run scripts/setup")
    with tempfile.TemporaryDirectory(prefix="nimbus-peer-ipmi-") as name:
        folder = pathlib.Path(name)
        fleet = Fleet(folder / "fleet")
        pyghmi = sim = None
        try:
            serial = start_serial_line()
            # 1 to 4 for whatever; 5 to 9: one for each lossy reset; then one for each oracle.
            fleet.start(count=13, address="127.41.1.1", keys={10: "sixteen-char-key"}, serial_ports={12: serial, 13: serial})
            pyghmi, port = start_pyghmi(folder)
            sim, machines = start_simulator()
            environment = dict(os.environ, NIMBUS_SIM_CONTROL=sim.control_path, NIMBUS_SIM_PROGRAM=sys.argv[1],
                               NIMBUS_SIM_MACHINES="\n".join(machines), NIMBUS_FLEET=str(fleet.folder), NIMBUS_PYGHMI=f"{PYGHMI_ADDRESS}:{port}",
                               NIMBUS_FOLDER=str(folder), NIMBUS_CONSOLE_OF=str(HERE / "console_of.py"),
                               NIMBUS_FLEET_PROGRAM=str(HERE.parent / "ipmi_sim" / "ipmi_sim.py"))
            if len(sys.argv) > 3:
                return subprocess.call(sys.argv[2:], env=environment)
            return run_parts(sys.argv[2], environment)
        finally:
            fleet.stop()
            if sim:
                sim.stop()
            if pyghmi:
                pyghmi.send_signal(signal.SIGTERM)
                pyghmi.wait()


if __name__ == "__main__":
    sys.exit(main())
