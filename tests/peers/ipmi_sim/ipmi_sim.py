#!/usr/bin/env python3
"""Starts BMCs that this project did not write: OpenIPMI's ipmi_sim (Debian package openipmi).

  ipmi_sim.py start FOLDER [--count N] [--address 127.1.0.1] [--port 0] [--per-process K]
                           [--user NAME] [--password TEXT] [--first I] [--no-machine]
  ipmi_sim.py list  FOLDER               one line per BMC: number, address, port, serial, GUID
  ipmi_sim.py power FOLDER I [on|off]    what the machine behind BMC I is, or make it so behind the BMC's back
  ipmi_sim.py journal FOLDER I           every write that reached the machine
  ipmi_sim.py fault FOLDER I hang|resume|kill|revive
  ipmi_sim.py fault FOLDER I fail-get|fail-set|ignore-soft|stuck|slow[=SECONDS] [--off]
  ipmi_sim.py stop  FOLDER

Port 0: a port that is free on all addresses. Addresses count up from --address and lie in 127.0.0.0/8.
All state lies below FOLDER; only processes recorded there are ever signalled, and only while their
start time is still the recorded one. With --per-process above 1 one process serves several BMCs (at
most 120), and hang, kill and slow concern all of them. With --no-machine no program is run for a
power command: reads cost little, writes are refused (needs gcc and libopenipmi-dev). ipmi_sim offers cipher suites up to 3 only.
"""
import argparse
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
MOST_PER_PROCESS = 120
READY_SECONDS = 60
FRU_BYTES = 512
# Get Channel Authentication Capabilities (IPMI 2.0, section 22.13) in a session-less frame: the
# smallest question that every BMC answers.
PROBE = bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5")


def area(fields):
    """One FRU area (Platform Management FRU 1.0, sections 10 to 12): bytes and text fields to a padded, summed area."""
    body = bytearray([1, 0])
    for field in fields:
        if isinstance(field, int):
            body.append(field)
        else:
            body.append(0xC0 | len(field))
            body += field.encode()
    body.append(0xC1)
    while (len(body) + 1) % 8:
        body.append(0)
    body[1] = (len(body) + 1) // 8
    body.append(-sum(body) & 0xFF)
    return bytes(body)


def record(kind, data, last=False):
    """One record of a MultiRecord area (section 16)."""
    header = bytes([kind, 0x02 | (0x80 if last else 0), len(data), -sum(data) & 0xFF])
    return header + bytes([-sum(header) & 0xFF]) + data


def image(chassis, board, product, records):
    """A whole inventory (section 8); None: an area that is not there."""
    offsets, body = [], b""
    for part in (chassis, board, product, records):
        offsets.append(1 + len(body) // 8 if part else 0)
        body += part or b""
        body += bytes(-len(body) % 8)
    header = bytes([1, 0, *offsets, 0])
    return (header + bytes([-sum(header) & 0xFF]) + body).ljust(FRU_BYTES, b"\0")


def fru_image(serial):
    return image(area([23, "SIM-CH", "C" + serial]), area([0, 0, 0, 0, "Simulated", "Board", "B" + serial, "SIM-B", ""]),
                 area([0, "Simulated", "Server", "SIM-1", "v1", serial, "", ""]),
                 record(3, b"\x01https://bmc.example/" + serial.lower().encode()) + record(3, b"\x02rack7-" + serial.lower().encode())
                 + record(0xC0, bytes.fromhex("39280001020304"), last=True))


def power_supply_image(serial):
    """What the supply of 550 W delivers (sections 18.1 and 18.2): 12 V and, as standby, 5 V."""
    supply = struct.pack("<HHBBHHHHBBBBHBHB", 550, 600, 30, 5, 9000, 14000, 18000, 26400, 47, 63, 20, 0x1F, 600 | 5 << 12, 0x12, 500, 30)
    outputs = [struct.pack("<BhhhHHH", head, *rest) for head, *rest in ((1, 1200, 1140, 1260, 120, 0, 41000), (0x82, 500, 475, 525, 50, 0, 3000))]
    return image(None, None, area([0, "Simulated", "Supply", "SIM-P", "v1", "P" + serial, "", ""]),
                 record(0, supply) + record(1, outputs[0]) + record(1, outputs[1], last=True))


def start_time(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def free_port(addresses):
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind((addresses[0], 0))
            port = first.getsockname()[1]
            try:
                for address in addresses[1:]:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                        other.bind((address, port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port is free on all addresses")


class Fleet:
    """The BMCs whose state lies below a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.list_file = self.folder / "bmcs.json"
        self.bmcs = json.loads(self.list_file.read_text()) if self.list_file.exists() else []

    def bmc(self, number):
        for bmc in self.bmcs:
            if bmc["number"] == number:
                return bmc
        raise KeyError(f"no BMC {number}")

    def start(self, count=1, address="127.1.0.1", port=0, per_process=1, user="admin", password="secret12", first=1,
              machine=True, keys=None, serial_ports=None):
        """keys: BMC number to its K_g; serial_ports: BMC number to the TCP port on loopback that is its serial line."""
        if self.bmcs:
            raise RuntimeError(f"{self.folder} has BMCs already: stop them first")
        if not shutil.which("ipmi_sim"):
            raise RuntimeError("ipmi_sim is missing (Debian package openipmi)")
        base = ipaddress.IPv4Address(address)
        if not (base.is_loopback and (base + count).is_loopback):
            raise ValueError("only addresses in 127.0.0.0/8")
        if not 1 <= per_process <= MOST_PER_PROCESS:
            raise ValueError(f"--per-process must be 1 to {MOST_PER_PROCESS}")
        # IPMB addresses: 0x20 is the BMC, any other even number a further one in the same process.
        ipmb = [0x20] + [n for n in range(0x02, 0xFE, 2) if n != 0x20]
        addresses = [str(base + i) for i in range(count)]
        port = port or free_port(addresses)
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["sdrcomp", "-o", self.folder / "sdr", HERE / "sensors.sdrs"], check=True)
        if not machine:
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self.folder / "no_machine.so", HERE / "no_machine.c"],
                           check=True)
        for index in range(count):
            number = first + index
            self.bmcs.append({
                "number": number, "address": addresses[index], "port": port, "user": user, "password": password,
                "mc": ipmb[index % per_process], "process": index // per_process,
                "serial": f"SIM{number:05d}", "guid": f"4e696d62757353696d{number:014x}"})
        for process in range((count + per_process - 1) // per_process):
            self._configure(process, machine, keys or {}, serial_ports or {})
            self._launch(process)
        self.list_file.write_text(json.dumps(self.bmcs, indent=1) + "\n")
        try:
            self.wait_ready()
        except Exception:
            self.stop()
            raise
        return self

    def _process_folder(self, process):
        return self.folder / f"process-{process}"

    def state(self, number):
        """The folder with the machine's state files."""
        bmc = self.bmc(number)
        return self._process_folder(bmc["process"]) / f"mc-{bmc['mc']:02x}"

    def _configure(self, process, machine, keys, serial_ports):
        folder = self._process_folder(process)
        store = folder / "state" / "ipmi_sim" / "bmc"
        store.mkdir(parents=True, exist_ok=True)
        lan, commands = ['name "bmc"'], ["mc_setbmc 0x20"]
        if not machine:
            lan.append(f'loadlib "{self.folder}/no_machine.so" ""')
        for bmc in (b for b in self.bmcs if b["process"] == process):
            state, mc = self.state(bmc["number"]), f"0x{bmc['mc']:02x}"
            (state / "lan").mkdir(parents=True, exist_ok=True)
            (state / "power").write_text("0\n")
            (state / "temperature").write_text("42\n")
            (state / "fan").write_text("35\n")
            (state / "fru").write_bytes(fru_image(bmc["serial"]))
            (state / "supply").write_bytes(power_supply_image(bmc["serial"]))
            (state / "lan" / "ip_addr").write_text(bmc["address"] + "\n")
            (state / "lan" / "subnet_mask").write_text("255.0.0.0\n")
            (state / "lan" / "mac_addr").write_text("52:54:00:00:%02x:%02x\n" % divmod(bmc["number"] & 0xFFFF, 256))
            shutil.copy(self.folder / "sdr", store / f"sdr.{bmc['mc']:02x}.main")
            lan += [f"set_working_mc {mc}", "startlan 1", f"  addr {bmc['address']} {bmc['port']}", "  priv_limit admin"]
            lan += [f"  allowed_auths_{level} md5" for level in ("callback", "user", "operator", "admin")]
            if bmc["number"] in keys:
                lan.append(f'  bmc_key "{keys[bmc["number"]]}"')
            lan += [f"  guid {bmc['guid']}", f'  lan_config_program "{HERE}/lan {state}"', "endlan",
                    f'chassis_control "{HERE}/chassis {state}"' if machine else "",
                    f'user 2 true "{bmc["user"]}" "{bmc["password"]}" admin 10',
                    f'user 3 true "operator" "{bmc["password"]}" operator 10']
            if bmc["number"] in serial_ports:
                lan.append(f'sol "tcp:127.0.0.1:{serial_ports[bmc["number"]]}" 115200 history=4000')
            commands += [
                f"mc_add {mc} 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr",
                f"sel_enable {mc} 1000 0x0a",
                f"sensor_add {mc} 0 0 35 0x6f event-only",  # sensor 0 must be the watchdog
                f"sensor_add {mc} 0 1 0x01 0x01 poll 1000 file \"{state}/temperature\"",
                f"sensor_set_threshold {mc} 0 1 settable 111000 90 80 70 00 00 00",
                f"sensor_set_event_support {mc} 0 1 enable scanning per-state"
                + " 000111111000000" * 4,
                f"sensor_add {mc} 0 2 0x04 0x01 poll 1000 file \"{state}/fan\"",
                f"sensor_set_threshold {mc} 0 2 settable 000111 00 00 00 10 8 5",
                f"sensor_set_event_support {mc} 0 2 enable scanning per-state"
                + " 000000000111111" * 4,
                f"mc_add_fru_data {mc} 0 {FRU_BYTES} file 0 \"{state}/fru\"",
                f"mc_add_fru_data {mc} 1 {FRU_BYTES} file 0 \"{state}/supply\"",
                f"mc_enable {mc}"]
        (folder / "lan.conf").write_text("\n".join(lan) + "\n")
        (folder / "cmds.emu").write_text("\n".join(commands) + "\n")

    def _launch(self, process):
        folder = self._process_folder(process)
        with open(folder / "log", "ab") as log:
            child = subprocess.Popen(["ipmi_sim", "-n", "-c", "lan.conf", "-f", "cmds.emu", "-s", "state"], cwd=folder,
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        (folder / "pid").write_text(f"{child.pid} {start_time(child.pid)}\n")

    def _pid(self, process):
        """The recorded process, if it still runs."""
        try:
            pid, since = (self._process_folder(process) / "pid").read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == since else None

    def wait_ready(self, numbers=None):
        """Until every BMC (of `numbers`) answers."""
        deadline = time.monotonic() + READY_SECONDS
        for bmc in self.bmcs:
            if numbers is not None and bmc["number"] not in numbers:
                continue
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.settimeout(0.1)
                probe.connect((bmc["address"], bmc["port"]))
                while True:
                    try:
                        probe.send(PROBE)
                        probe.recv(512)
                        break
                    except OSError as error:
                        if self._pid(bmc["process"]) is None:
                            log = self._process_folder(bmc["process"]) / "log"
                            raise RuntimeError("ipmi_sim ended:\n" + log.read_text()[-2000:]) from error
                        if time.monotonic() > deadline:
                            raise TimeoutError(f"BMC {bmc['number']} does not answer") from error
                        if isinstance(error, ConnectionRefusedError):
                            time.sleep(0.02)

    def fault(self, number, kind, off=False):
        process = self.bmc(number)["process"]
        name, _, value = kind.partition("=")
        if name in ("fail-get", "fail-set", "ignore-soft", "stuck", "slow"):
            path = self.state(number) / name
            if off:
                path.unlink(missing_ok=True)
            else:
                path.write_text((value or "1") + "\n")
            return
        if name == "revive":
            if self._pid(process) is None:
                self._launch(process)
            self.wait_ready([number])
            return
        pid = self._pid(process)
        if pid is None:
            raise RuntimeError("that BMC does not run")
        os.kill(pid, {"hang": signal.SIGSTOP, "resume": signal.SIGCONT, "kill": signal.SIGKILL}[name])
        while name == "kill" and self._pid(process) is not None:
            reap(pid)
            time.sleep(0.01)

    def power(self, number, state=None):
        path = self.state(number) / "power"
        if state is not None:
            new = path.with_suffix(".test")
            new.write_text("1\n" if state == "on" else "0\n")
            new.rename(path)
        return "on" if path.read_text().strip() == "1" else "off"

    def journal(self, number):
        path = self.state(number) / "journal"
        return path.read_text().splitlines() if path.exists() else []

    def stop(self):
        running = [pid for pid in (self._pid(p) for p in sorted({b["process"] for b in self.bmcs})) if pid]
        for pid in running:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        for process in sorted({b["process"] for b in self.bmcs}):
            while (pid := self._pid(process)) is not None:
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                reap(pid)
                time.sleep(0.01)
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
    arguments = {name: commands.add_parser(name) for name in ("start", "list", "power", "journal", "fault", "stop")}
    for sub in arguments.values():
        sub.add_argument("folder")
    start = arguments["start"]
    start.add_argument("--count", type=int, default=1)
    start.add_argument("--address", default="127.1.0.1")
    start.add_argument("--port", type=int, default=0)
    start.add_argument("--per-process", type=int, default=1)
    start.add_argument("--user", default="admin")
    start.add_argument("--password", default="secret12")
    start.add_argument("--first", type=int, default=1, help="number of the first BMC; serial and GUID derive from it")
    start.add_argument("--no-machine", dest="machine", action="store_false")
    for name in ("power", "journal", "fault"):
        arguments[name].add_argument("number", type=int)
    arguments["power"].add_argument("state", nargs="?", choices=("on", "off"))
    arguments["fault"].add_argument("kind")
    arguments["fault"].add_argument("--off", action="store_true")
    given = vars(parser.parse_args())
    command, fleet = given.pop("command"), Fleet(given.pop("folder"))
    if command == "start":
        fleet.start(**given)
    if command in ("start", "list"):
        for bmc in fleet.bmcs:
            print(bmc["number"], bmc["address"], bmc["port"], bmc["serial"], bmc["guid"])
    elif command == "power":
        print(fleet.power(**given))
    elif command == "journal":
        print("\n".join(fleet.journal(**given)))
    elif command == "fault":
        fleet.fault(**given)
    elif command == "stop":
        fleet.stop()


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, ValueError, KeyError, OSError) as problem:
        sys.exit(f"ipmi_sim.py: {problem}")
