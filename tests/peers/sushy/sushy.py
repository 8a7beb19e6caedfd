#!/usr/bin/env python3
"""Starts Redfish BMCs that this project did not write: sushy-tools' emulator under gunicorn, with TLS.

  sushy.py start FOLDER [--count N] [--systems K] [--address 127.2.0.1] [--port 0] [--user NAME]
                        [--password TEXT] [--power-delay SECONDS] [--first I]
  sushy.py list  FOLDER               one line per BMC: number, URL, pin of its certificate, UUIDs of its systems
  sushy.py power FOLDER I [on|off]    what the first system of BMC I is, or make it so behind the BMC's back
  sushy.py requests FOLDER I          every request that reached it: method, path, status, with credentials or without
  sushy.py fault FOLDER I hang|resume|kill|revive
  sushy.py stop  FOLDER

Run it with the Python of .venv (scripts/setup). One BMC is one gunicorn with its own address, certificate
and state (about 60 MiB); addresses count up from --address and lie in 127.0.0.0/8. Port 0: a port that is
free on all of them. A power command takes effect 1 to 11 s later, as the emulator has it, unless
--power-delay says otherwise. All state lies below FOLDER; only processes recorded there are ever
signalled, and only while their start time is still the recorded one.
"""
import argparse
import base64
import ipaddress
import json
import os
import pathlib
import pickle
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import uuid

import bcrypt

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from certificate import make_certificate  # noqa: E402
READY_SECONDS = 60


def start_time(pid):
    """Start time of a running process in clock ticks, as text; None if there is none."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def free_port(addresses):
    for _ in range(100):
        with socket.socket() as first:
            first.bind((addresses[0], 0))
            port = first.getsockname()[1]
        try:
            for address in addresses[1:]:
                with socket.socket() as other:
                    other.bind((address, port))
            return port
        except OSError:
            continue
    raise RuntimeError("no port is free on all addresses")


class Fleet:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.list_file = self.folder / "bmcs.json"
        self.bmcs = json.loads(self.list_file.read_text()) if self.list_file.exists() else []

    def bmc(self, number):
        return next(b for b in self.bmcs if b["number"] == number)

    def bmc_folder(self, number):
        return self.folder / f"bmc-{number}"

    def start(self, count=1, systems=1, address="127.2.0.1", port=0, user="admin", password="secret12",
              power_delay=None, first=1):
        if self.bmcs:
            raise RuntimeError(f"{self.folder} is in use; stop it first")
        addresses = [str(ipaddress.ip_address(address) + i) for i in range(count)]
        if not all(ipaddress.ip_address(a) in ipaddress.ip_network("127.0.0.0/8") for a in addresses):
            raise ValueError("addresses must lie in 127.0.0.0/8")
        port = port or free_port(addresses)
        for i, own in enumerate(addresses):
            number = first + i
            folder = self.bmc_folder(number)
            folder.mkdir(parents=True, exist_ok=True)
            uuids = [str(uuid.UUID(f"00000000-0000-4000-8000-{number:06x}{s:06x}")) for s in range(systems)]
            self.bmcs.append({"number": number, "url": f"https://{own}:{port}", "address": own, "port": port,
                              "pin": make_certificate(folder, own), "systems": uuids, "user": user,
                              "password": password, "power_delay": power_delay})
            self._configure(self.bmcs[-1])
        self.list_file.write_text(json.dumps(self.bmcs))
        try:
            for bmc in self.bmcs:
                self._launch(bmc)
            self.wait_ready()
        except Exception:
            self.stop()
            raise
        return self

    def _configure(self, bmc):
        folder = self.bmc_folder(bmc["number"])
        (folder / "state").mkdir(exist_ok=True)
        (folder / "requests").unlink(missing_ok=True)
        hashed = bcrypt.hashpw(bmc["password"].encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{bmc['user']}:{hashed}\n")
        systems = [{"uuid": u, "name": f"machine-{i}", "power_state": "Off", "external_notifier": False,
                    "nics": [{"mac": "52:54:00:%02x:%02x:%02x" % (bmc["number"] >> 8 & 255, bmc["number"] & 255, i),
                              "ip": "192.0.2.1"}]} for i, u in enumerate(bmc["systems"])]
        (folder / "emulator.conf").write_text(
            f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
            f"SUSHY_EMULATOR_AUTH_FILE = {str(folder / 'htpasswd')!r}\n"
            f"SUSHY_EMULATOR_STATE_DIR = {str(folder / 'state')!r}\n"
            f"SUSHY_EMULATOR_LISTEN_IP = {bmc['address']!r}\n")

    def _launch(self, bmc):
        folder = self.bmc_folder(bmc["number"])
        environment = dict(os.environ, SUSHY_EMULATOR_CONFIG=str(folder / "emulator.conf"), BMC_FOLDER=str(folder))
        if bmc["power_delay"] is not None:
            environment["BMC_POWER_DELAY"] = str(bmc["power_delay"])
        with open(folder / "log", "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-b", f"{bmc['address']}:{bmc['port']}", "--certfile", "cert.pem",
                 "--keyfile", "key.pem", "-k", "gthread", "--threads", "8", "--keep-alive", "30", "--no-control-socket",
                 "--pythonpath", str(HERE), "app:app"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        (folder / "pid").write_text(f"{child.pid} {start_time(child.pid)}\n")

    def _pid(self, number):
        """The recorded process, leader of a group of its own, if it still runs."""
        try:
            pid, since = (self.bmc_folder(number) / "pid").read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == since else None

    def wait_ready(self, numbers=None):
        """Until every BMC (of `numbers`) answers for its first system."""
        deadline = time.monotonic() + READY_SECONDS
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own test server
        for bmc in self.bmcs:
            while numbers is None or bmc["number"] in numbers:
                try:
                    with socket.create_connection((bmc["address"], bmc["port"]), timeout=5) as plain:
                        with context.wrap_socket(plain) as connection:
                            # Reading a system makes the emulator fill its database.
                            login = base64.b64encode(f"{bmc['user']}:{bmc['password']}".encode()).decode()
                            connection.sendall(f"GET /redfish/v1/Systems/{bmc['systems'][0]} HTTP/1.1\r\nHost: bmc\r\n"
                                               f"Authorization: Basic {login}\r\nConnection: close\r\n\r\n".encode())
                            if connection.recv(64).startswith(b"HTTP/1.1 200"):
                                break
                            raise OSError("not ready")
                except OSError as error:
                    if self._pid(bmc["number"]) is None or time.monotonic() > deadline:
                        log = self.bmc_folder(bmc["number"]) / "log"
                        raise RuntimeError(f"{bmc['url']} does not answer:\n{log.read_text()[-2000:]}") from error
                    time.sleep(0.05)

    def power(self, number, state=None):
        """Straight from or into the emulator's database."""
        first = self.bmc(number)["systems"][0]
        with sqlite3.connect(self.bmc_folder(number) / "state" / "fakedriver.sqlite", timeout=10) as database:
            key = pickle.dumps(first)
            system = pickle.loads(database.execute("select value from cache where key=?", (key,)).fetchone()[0])
            if state is not None:
                system.update(power_state=state.capitalize(), pending_power=None)
                database.execute("update cache set value=? where key=?", (pickle.dumps(system), key))
        pending = system.get("pending_power")
        if pending and time.time() >= pending["apply_time"]:
            return "off" if pending["power_state"] == "Off" else "on"
        return system["power_state"].lower()

    def requests(self, number):
        path = self.bmc_folder(number) / "requests"
        return path.read_text().splitlines() if path.exists() else []

    def fault(self, number, kind):
        if kind == "revive":
            if self._pid(number) is None:
                self._launch(self.bmc(number))
            self.wait_ready([number])
            return
        pid = self._pid(number)
        if pid is None:
            raise RuntimeError("that BMC does not run")
        os.killpg(pid, {"hang": signal.SIGSTOP, "resume": signal.SIGCONT, "kill": signal.SIGKILL}[kind])
        while kind == "kill" and self._pid(number) is not None:
            reap(pid)
            time.sleep(0.01)

    def stop(self):
        for bmc in self.bmcs:
            if (pid := self._pid(bmc["number"])) is not None:
                os.killpg(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        for bmc in self.bmcs:
            while (pid := self._pid(bmc["number"])) is not None:
                if time.monotonic() > deadline:
                    os.killpg(pid, signal.SIGKILL)
                reap(pid)
                time.sleep(0.02)
            shutil.rmtree(self.bmc_folder(bmc["number"]) / "state", ignore_errors=True)
        self.bmcs = []
        self.list_file.unlink(missing_ok=True)


def reap(pid):
    """Takes the exit status of a child, so that it does not stay as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    arguments = {name: commands.add_parser(name) for name in ("start", "list", "power", "requests", "fault", "stop")}
    for sub in arguments.values():
        sub.add_argument("folder")
    start = arguments["start"]
    start.add_argument("--count", type=int, default=1)
    start.add_argument("--systems", type=int, default=1)
    start.add_argument("--address", default="127.2.0.1")
    start.add_argument("--port", type=int, default=0)
    start.add_argument("--user", default="admin")
    start.add_argument("--password", default="secret12")
    start.add_argument("--power-delay", type=int, help="seconds until a power command takes effect")
    start.add_argument("--first", type=int, default=1, help="number of the first BMC; UUIDs derive from it")
    for name in ("power", "requests", "fault"):
        arguments[name].add_argument("number", type=int)
    arguments["power"].add_argument("state", nargs="?", choices=("on", "off"))
    arguments["fault"].add_argument("kind", choices=("hang", "resume", "kill", "revive"))
    given = vars(parser.parse_args())
    command, fleet = given.pop("command"), Fleet(given.pop("folder"))
    if command == "start":
        fleet.start(**given)
    if command in ("start", "list"):
        for bmc in fleet.bmcs:
            print(bmc["number"], bmc["url"], bmc["pin"], *bmc["systems"])
    elif command == "power":
        print(fleet.power(**given))
    elif command == "requests":
        print("\n".join(fleet.requests(**given)))
    elif command == "fault":
        fleet.fault(**given)
    elif command == "stop":
        fleet.stop()


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, ValueError, KeyError, OSError, subprocess.CalledProcessError) as problem:
        sys.exit(f"sushy.py: {problem}")
