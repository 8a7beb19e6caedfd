"""Machines made of files, on the provisioning network: a network namespace with the
machine's MAC address, DHCP and the boot script as iPXE does them, the product's installer
on disks that are files, and sshd with the host key that the installer left. What they do
follows the simulated BMC's power, as with a real machine; no virtual machine is needed."""
import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib

from . import lab
from .process import Child, run, tail
from .wait import wait_until

PROGRAM = os.environ.get("NIMBUS_FILE_MACHINE", "")
MIB = 1 << 20
INSTALLED, ERASED, INSPECTED, FAILED = 10, 11, 12, 13


def make_image(path, mib=8, seed=1):
    """A disk image with a root partition and noise in it; returns its digest and size."""
    import hashlib
    import random
    import struct
    import uuid
    size = mib * MIB
    image = bytearray(random.Random(seed).randbytes(size))
    image[:MIB] = bytes(MIB)
    image[446 + 4], image[510], image[511] = 0xEE, 0x55, 0xAA
    last = size // 512 - 1
    entries = bytearray(128 * 128)
    kinds = ("21686148-6449-6E6F-744E-656564454649", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709")
    for number, (kind, first, end) in enumerate(((kinds[0], 2048, 4095), (kinds[1], 4096, last - 2048))):
        entries[number * 128:number * 128 + 48] = struct.pack("<16s16sQQ", uuid.UUID(kind).bytes_le, bytes([number + 1] * 16), first, end)
    image[1024:1024 + len(entries)] = entries
    header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, last, 34, last - 33, bytes(16), 2, 128, 128,
                                   zlib.crc32(entries)))
    header[16:20] = struct.pack("<I", zlib.crc32(header))
    image[512:512 + len(header)] = header
    pathlib.Path(path).write_bytes(image)
    return hashlib.sha256(image).hexdigest(), size


class PaperImage:
    """What lab.Image is for QEMU, without a system in it."""

    def __init__(self, folder, mib=8):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.name = "disk.raw"
        self.sha256, self.bytes = make_image(self.folder / self.name, mib)
        self.installer = self.folder / "installer"
        self.installer.mkdir()
        for name in ("vmlinuz", "ramdisk.img"):
            (self.installer / name).write_bytes(name.encode())
        sums = run(["sha256sum", "vmlinuz", "ramdisk.img"], cwd=self.installer).stdout
        (self.installer / "SHA256SUMS").write_text(sums)


class SimBmcs:
    """nimbus-sim without machines behind it: the paper machines follow its power."""

    USER, PASSWORD = "admin", "password"

    def __init__(self, program, folder, count=1, serial="SN-LAB-{n}"):
        self.program, self.folder, self.count = program, pathlib.Path(folder), count
        self.folder.mkdir(parents=True)
        (self.folder / "certificate").mkdir()
        self.control = self.folder / "control.sock"
        self.fleet = self.folder / "fleet.toml"
        self.write(serial)
        self.child = None

    def write(self, serial):
        text = f'format = 1\nseed = 7\ncontrol = "unix:{self.control}"\ncertificate = "{self.folder}/certificate"\n'
        text += '[defaults.timing]\npower_on = "10ms"\npower_off = "10ms"\nsoft_off = "100ms"\npost = "10ms"\n'
        text += f'[[machine]]\nname = "v{{n}}"\ncount = {self.count}\nipmi = "127.7.0.1:623"\nredfish = "127.7.0.1:8443"\n'
        text += f'step = "address"\nserial = "{serial}"\n[machine.bios]\nBootMode = "Bios"\n'
        self.fleet.write_text(text)

    def start(self):
        self.control.unlink(missing_ok=True)
        self.child = Child("nimbus-sim", [self.program, "serve", self.fleet], self.folder / "log")
        wait_until(lambda: self.control.exists() and self.call("GET", "/machines"), 30, "the BMCs answer", self.tail)
        return self

    def call(self, method, path, body=None):
        connection = lab._Unix(self.control)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError:
            return None
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else {}

    @staticmethod
    def serial(number):
        return f"SN-LAB-{number}"

    def address(self, number):
        return f"127.7.0.{number}"

    def pin(self):
        return lab.pin_of(self.folder / "certificate" / "cert.pem")

    def url(self, number):
        return f"https://{self.address(number)}:8443"

    def state(self, number):
        return self.call("GET", f"/machines/v{number}")

    def seen(self, number):
        """(on, boots, device): whether it has power, and what it booted from the last time."""
        state = self.state(number)
        if not state:
            return None
        return state["power"].lower() == "on" and state["host"] == "running", state["boot"]["boots"], state["boot"]["last_device"]

    def power(self, number):
        return self.state(number)["power"].lower()

    def patch(self, number, path, body):
        """Over Redfish, as somebody else."""
        connection = http.client.HTTPSConnection(self.address(number), 8443, timeout=10, context=ssl._create_unverified_context())
        login = base64.b64encode(f"{self.USER}:{self.PASSWORD}".encode()).decode()
        connection.request("PATCH", path, json.dumps(body), {"Authorization": "Basic " + login, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status not in (200, 202, 204):
            raise AssertionError(f"PATCH {path}: {answer.status} {text}")

    def cut(self, number):
        """Somebody pulls the plug."""
        self.call("POST", f"/machines/v{number}/power", {"action": "ForceOff"})

    def writes(self, number):
        """Power commands that came through the BMC."""
        entries = self.call("GET", f"/machines/v{number}/journal")["entries"]
        return [e for e in entries if e["source"] in ("ipmi", "redfish") and "power" in e["what"]]

    def fault(self, **rule):
        return self.call("POST", "/faults", rule)["id"]

    def stop(self):
        if self.child:
            self.child.stop()

    def tail(self):
        return self.child.tail() if self.child else ""


class IpmiSimBmcs:
    """The same, over OpenIPMI's ipmi_sim."""

    USER, PASSWORD = "admin", "secret12"

    def __init__(self, folder):
        from .ipmi import IpmiFleet
        self.fleet = IpmiFleet(folder)
        self.boots = 0
        self.was_on = False

    def start(self):
        self.bmc = self.fleet.start().bmcs[0]
        return self

    def address(self, _number):
        return self.bmc.address

    def serial(self, _number):
        return self.bmc.serial

    def seen(self, number):
        state = self.fleet.simulators.state(self.bmc.number)
        on = self.fleet.simulators.power(self.bmc.number) == "on"
        boot = state / "boot"
        device = boot.read_text().strip() if boot.exists() else "none"
        if on and not self.was_on:
            self.boots += 1
            self.device = "pxe" if device == "pxe" else "disk"
            boot.write_text("none\n")  # once
        self.was_on = on
        return on, self.boots, getattr(self, "device", "disk")

    def power(self, _number):
        return self.fleet.simulators.power(self.bmc.number)

    def cut(self, _number):
        self.fleet.simulators.power(self.bmc.number, "off")

    def stop(self):
        self.fleet.stop()

    def tail(self):
        return self.bmc.tail()


class PaperMachine:
    """One machine; lives in a thread of its own from start() to stop()."""

    def __init__(self, folder, bmcs, number=1, disks=1, disk_mib=12, serial=None):
        self.folder, self.bmcs, self.number = pathlib.Path(folder), bmcs, number
        self.mac = lab.Machines.mac(number)
        self.space = None       # the process that holds the network namespace
        self.child = None       # what runs on it now
        self.deaf = False       # does not hear the network: boots its disk
        self.lines = []         # what happened, for people
        self.endings = []       # how installer runs ended
        self._thread = None
        self._end = threading.Event()
        self._lock = threading.RLock()
        root = self.folder
        dmi = root / "sys/class/dmi/id"
        for path in (dmi, root / "sys/class/net/eth0", root / "dev", root / "proc", root / "etc"):
            path.mkdir(parents=True)
        (dmi / "product_serial").write_text((serial or bmcs.serial(number)) + "\n")
        (root / "sys/class/net/eth0/address").write_text(self.mac + "\n")
        for index in range(disks):
            self.add_disk(index, disk_mib)

    def add_disk(self, index, mib):
        name = f"vd{'abcdef'[index]}"
        about = self.folder / "sys/block" / name
        about.mkdir(parents=True)
        (about / "serial").write_text(f"DISK-{self.number}-{index}\n")
        (about / "size").write_text(f"{mib * MIB // 512}\n")
        with open(self.disk(index), "wb") as file:
            file.truncate(mib * MIB)

    def disk(self, index=0):
        return self.folder / "dev" / f"vd{'abcdef'[index]}"

    def start(self):
        """The NIC is a veth on the bridge, in a namespace of its own."""
        ready = self.folder / "space"
        self.space = Child("space", ["unshare", "--net", "sh", "-c", f"ip link set lo up; : >{ready}; exec sleep 100000"], self.folder / "space.log")
        wait_until(ready.exists, 20, "the machine has a network namespace", self.tail)
        near = f"pm{self.number}"
        lab.ip("link", "add", near, "type", "veth", "peer", "name", "eth0", "address", self.mac, "netns", str(self.space.pid))
        lab.ip("link", "set", near, "master", "br0", "up")
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        return self

    def add_nic(self, name="eth1"):
        """A second one, which is down. Returns its MAC address, and the other end of its wire."""
        mac, wire = self.mac[:-5] + "aa" + self.mac[-3:], f"pm{self.number}{name}"
        about = self.folder / "sys/class/net" / name
        about.mkdir()
        (about / "address").write_text(mac + "\n")
        lab.ip("link", "add", wire, "type", "veth", "peer", "name", name, "address", mac, "netns", str(self.space.pid))
        lab.ip("link", "set", wire, "up")
        return mac, wire

    def nic(self, name="eth1"):
        """As the kernel shows it."""
        return json.loads(subprocess.run(self._inside("ip", "-j", "addr", "show", name), capture_output=True, check=True).stdout)[0]

    def hear_switch(self, name, port, wire=None):
        """An LLDP frame on its wire, as the switch on the other end sends it."""
        def tlv(kind, value):
            return bytes([kind << 1 | len(value) >> 8, len(value) & 255]) + value
        frame = bytes.fromhex("0180c200000e02000000000188cc")
        frame += tlv(1, b"\x04\x02\0\0\0\0\x01") + tlv(2, b"\x05" + port.encode()) + tlv(3, b"\0x") + tlv(5, name.encode()) + b"\0\0"
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as end:
            end.bind((wire or f"pm{self.number}", 0x88CC))
            end.send(frame)

    def stop(self):
        self._end.set()
        if self._thread:
            self._thread.join(30)
        self._kill()
        if self.space:
            self.space.stop()

    def tail(self):
        return f"--- machine v{self.number}\n" + "\n".join(self.lines) + f"\n{tail(self.folder / 'console')}"

    # --- its life

    def _note(self, text):
        self.lines.append(f"{time.strftime('%H:%M:%S')} {text}")

    def _inside(self, *words):
        return ["nsenter", "-t", str(self.space.pid), "-n", *map(str, words)]

    def _kill(self):
        with self._lock:
            if self.child:
                self.child.kill()
                self.child = None

    def _live(self):
        boots = None
        while not self._end.wait(0.05):
            try:
                seen = self.bmcs.seen(self.number)
            except (OSError, AssertionError):
                continue
            if seen is None:
                continue
            on, count, device = seen
            boots = count if boots is None and not on else boots
            if not on:
                if self.child:
                    self._note("loses power")
                self._kill()
            elif count != boots:
                boots = count
                self._kill()
                self._note(f"boots from {device}")
                self._boot(device)
            elif self.child and not self.child.alive():
                self._ended(self.child.process.returncode)

    def _boot(self, device):
        script = self._from_network() if device == "pxe" and not self.deaf else None
        if script is None:
            return self._boot_disk()
        arguments = re.search(r"^kernel \S+ (.*?)( \|\| .*)?$", script, re.M).group(1)
        (self.folder / "proc/cmdline").write_text(arguments + "\n")
        shutil.rmtree(self.folder / "seed", ignore_errors=True)
        self._note("runs the installer")
        self._run("installer", [PROGRAM, self.folder])

    def _run(self, name, words):
        with self._lock:
            self.child = Child(name, self._inside(*words), self.folder / "console")
            self.child.kind = name

    def _from_network(self):
        """DHCP as a client of iPXE, then its script; None: boots its disk."""
        lease = self.folder / "lease"
        lease.unlink(missing_ok=True)
        handler = self.folder / "dhcp"
        handler.write_text(f'#!/bin/sh\n[ "$1" = bound ] || exit 0\nip addr flush dev eth0\nip addr add $ip/24 dev eth0\nip route add default via $router\necho "${{bootfile:-$boot_file}}" >{lease}\n')
        handler.chmod(0o755)
        run(self._inside("ip", "link", "set", "eth0", "up"))
        self._run("dhcp", ["busybox", "udhcpc", "-f", "-q", "-n", "-t", "5", "-T", "1", "-i", "eth0", "-s", handler, "-O", "bootfile",
                           "-x", "0x4d:69505845", "-x", "0x5d:0000", "-x", "0xaf:010100"])
        self._wait_child()
        if not lease.exists():
            self._note("no answer from DHCP")
            return None
        url = lease.read_text().strip().replace("${net0/mac:hexhyp}", self.mac.replace(":", "-"))
        self._note(f"DHCP says {url or 'nothing to boot'}")
        if not url.startswith("http"):
            return None
        answer = subprocess.run(self._inside("curl", "-sf", "--max-time", "5", url), capture_output=True, text=True, check=False)
        return answer.stdout if answer.returncode == 0 and "kernel " in answer.stdout else None

    def _wait_child(self):
        while self.child and self.child.alive() and not self._end.is_set():
            time.sleep(0.02)

    def _ended(self, code):
        kind, self.child = self.child.kind, None
        if kind != "installer":
            return
        self.endings.append(code)
        self._note(f"the installer ended with {code}")
        if code == INSTALLED:
            self._boot_disk()
        else:
            self.bmcs.cut(self.number)

    def bootable(self):
        with open(self.disk(), "rb") as file:
            return bool(file.read(MIB).strip(b"\0"))

    def _boot_disk(self):
        data = self.folder / "seed/vendor-data"
        if not self.bootable() or not data.exists():
            return self._note("nothing to boot on its disk")
        if not (self.folder / "lease").exists():
            self._from_network()  # its address
        key = self.folder / "etc/host_key"
        key.unlink(missing_ok=True)
        key.touch(0o600)
        key.write_text(json.loads(data.read_text().split("\n", 1)[1])["ssh_keys"]["ed25519_private"])
        (self.folder / "etc/sshd").write_text(f"ListenAddress 0.0.0.0:22\nHostKey {key}\nUsePAM no\nPidFile none\nStrictModes no\n")
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._note("boots its disk")
        self._run("sshd", [shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin"), "-D", "-e", "-f", self.folder / "etc/sshd"])
