"""A PXE client that is no machine: a network namespace with a MAC address on the provisioning
network, which asks for DHCP as firmware or iPXE does, and fetches files over TFTP."""
import pathlib
import sys

from . import lab
from .process import Child, run
from .wait import wait_until

# What firmware and iPXE say of themselves (RFC 4578; iPXE's options 77 and 175).
BIOS, EFI, EFI_BC, ARM64 = (("-x", f"0x5d:{kind}") for kind in ("0000", "0007", "0009", "000b"))
IPXE = ("-x", "0x4d:69505845", "-x", "0xaf:010100")

# Takes a file, and waits after the first block until it is told to go on.
SLOW_TFTP = """
import hashlib, pathlib, socket, sys, time
server, name, begun, go_on = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(30)
s.sendto(b"\\0\\1" + name.encode() + b"\\0octet\\0", (server, 69))
content, block = b"", 0
while True:
    data, peer = s.recvfrom(2000)
    assert data[:2] == b"\\0\\3", data
    number = int.from_bytes(data[2:4], "big")
    if number == block + 1:
        block = number
        content += data[4:]
    if block == 1 and not pathlib.Path(go_on).exists():
        pathlib.Path(begun).touch()
        while not pathlib.Path(go_on).exists():
            time.sleep(0.02)
    s.sendto(b"\\0\\4" + block.to_bytes(2, "big"), peer)
    if len(data) < 516:
        break
print(hashlib.sha256(content).hexdigest())
"""


class PxeClient:
    def __init__(self, folder, mac, number, bridge="br0"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        ready = self.folder / "space"
        self.space = Child("space", ["unshare", "--net", "sh", "-c", f"ip link set lo up; : >{ready}; exec sleep 100000"], self.folder / "log")
        wait_until(ready.exists, 20, "the client has a network namespace")
        near = f"pxe{number}"
        lab.ip("link", "add", near, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(self.space.pid))
        lab.ip("link", "set", near, "master", bridge, "up")
        run(self.inside("ip", "link", "set", "eth0", "up"))
        self.handler = self.folder / "handler"
        self.handler.write_text('#!/bin/sh\n[ "$1" = bound ] || exit 0\nip addr flush dev eth0\nip addr add $ip/24 dev eth0\n'
                                'echo "$ip ${bootfile:-$boot_file}"\n')
        self.handler.chmod(0o755)

    def inside(self, *words):
        return ["nsenter", "-t", str(self.space.pid), "-n", *map(str, words)]

    def dhcp(self, *options, tries=5):
        """(address, file to boot or ""); None: nobody answers."""
        answer = run(self.inside("busybox", "udhcpc", "-f", "-q", "-n", "-t", tries, "-T", "1", "-i", "eth0", "-s", self.handler, "-O", "bootfile",
                                 *options), check=False)
        words = answer.stdout.split()
        return (words[0], words[1] if len(words) > 1 else "") if words else None

    def get(self, url):
        """The bytes at an http:// or tftp:// URL; None: there are none."""
        place = self.folder / "file"
        place.unlink(missing_ok=True)
        done = run(self.inside("curl", "-sf", "--max-time", "20", "-o", place, url), check=False)
        return place.read_bytes() if done.returncode == 0 else None

    def begin_slow_transfer(self, server, name):
        """Of a file over TFTP, which stands still until go_on()."""
        begun, self._go_on, self._log = self.folder / "begun", self.folder / "go-on", self.folder / "transfer"
        self._transfer = Child("tftp", self.inside(sys.executable, "-c", SLOW_TFTP, server, name, begun, self._go_on), self._log)
        wait_until(begun.exists, 20, "the transfer has begun", self._transfer.tail)

    def go_on(self):
        """The digest of what came."""
        self._go_on.touch()
        if self._transfer.wait(30) != 0:
            raise AssertionError(self._transfer.tail())
        return self._log.read_text().strip()

    def stop(self):
        self.space.stop()
