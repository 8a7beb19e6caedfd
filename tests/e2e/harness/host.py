"""Hosts of a test's own: Debian roots with real OpenSSH servers, each in namespaces of its own.

enter() puts this process and all its children into new network and mount namespaces. Each
host then is a root (scripts/build-host-root, with a layer of its own above it) in a network,
mount, process and host-name namespace, at the other end of a cable. Needs root.
"""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

from .process import Child, run
from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC_PRIVATE = 0x44000
SKIP = 77
ACCOUNT = "nimbus"

CONFIGURATION = """\
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys
AuthenticationMethods publickey
UsePAM no
PrintMotd no
UseDNS no
LogLevel VERBOSE
MaxStartups 100
"""

# Files of the host, its process as init, and sshd in the foreground.
START = """set -e
folder=$1 base=$2
mount -t tmpfs -o size="$3" tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o lowerdir="$base",upperdir="$folder/upper",workdir="$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount --bind /dev dev
mount -t tmpfs -o size=4m tmpfs run
mkdir -p run/sshd
chroot . useradd --create-home --shell /bin/sh --password '*' nimbus
mkdir -m 700 home/nimbus/.ssh
cp "$4/authorized_keys" home/nimbus/.ssh/
chroot . chown -R nimbus:nimbus home/nimbus/.ssh
echo 'nimbus ALL=(ALL:ALL) NOPASSWD: ALL' >etc/sudoers.d/nimbus-access
cp "$4/ssh_host_ed25519_key" "$4/sshd_config" etc/ssh/
chmod 600 etc/ssh/ssh_host_ed25519_key
hostname host
echo host >etc/hostname
ip link set lo up
exec chroot . /usr/sbin/sshd -D -e
"""


def enter():
    """Ends the test as skipped where it cannot run, with the reason."""
    why = "namespaces need root" if os.geteuid() != 0 else None
    if why is None and shutil.which("mmdebstrap") is None and not (ROOT / "build" / "host-root").exists():
        why = "mmdebstrap is missing (scripts/setup)"
    if why:
        print(f"skipped: {why}")
        sys.exit(SKIP)
    run([ROOT / "scripts" / "build-host-root"], timeout=900)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    run(["ip", "link", "set", "lo", "up"])


class Host:
    """One host. `public_key` may log in as "nimbus", who may become root."""

    def __init__(self, folder, number, public_key, size="300m"):
        self.folder = pathlib.Path(folder)
        self.number = number
        self.address = f"10.88.{number}.2"
        self.link = f"host{number}"
        self.size = size
        self.files = self.folder / "files"
        self.mount = self.folder / "mount"
        self.log = self.folder / "sshd.log"
        self.files.mkdir(parents=True)
        self.mount.mkdir()
        (self.files / "authorized_keys").write_text(public_key)
        (self.files / "sshd_config").write_text(CONFIGURATION)
        self.host_key = self.new_host_key()
        self.child = None

    def new_host_key(self):
        key = self.files / "ssh_host_ed25519_key"
        for path in (key, key.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key])
        return " ".join(key.with_suffix(".pub").read_text().split()[:2])

    def start(self):
        self.child = Child("host", ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c", START,
                                    "sh", self.mount, ROOT / "build" / "host-root", self.size, self.files], self.log)
        wait_until(lambda: self._pid() or not self.child.alive(), 20, "the host's first process runs", self.child.tail)
        run(["ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", str(self._pid())])
        run(["ip", "addr", "add", f"10.88.{self.number}.1/24", "dev", self.link])
        run(["ip", "link", "set", self.link, "up"])
        run(["nsenter", "-t", str(self._pid()), "--net", "sh", "-c",
             f"ip addr add {self.address}/24 dev eth0 && ip link set eth0 up"])
        wait_until(lambda: "Server listening" in self.log.read_text() or not self.child.alive(), 60, "sshd listens", self.child.tail)
        if not self.child.alive():
            raise AssertionError("the host did not start\n" + self.child.tail())
        return self

    def _pid(self):
        """Of its first process, as seen from here."""
        try:
            text = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        except OSError:
            return None
        return int(text[0]) if text else None

    def sh(self, script, check=True):
        """A script as root on the host, past SSH; its output."""
        result = subprocess.run(["nsenter", "-t", str(self._pid()), "--net", "--mount", "--uts", "--pid", "--root", "--wd", "sh", "-s"],
                                input=script, text=True, capture_output=True, timeout=60, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if check and result.returncode != 0:
            raise AssertionError(f"{script!r} on the host: {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def change_key(self):
        """The host shows another key from now on."""
        self.new_host_key()
        text = (self.files / "ssh_host_ed25519_key").read_text()
        self.sh(f"cat >/etc/ssh/ssh_host_ed25519_key <<'EOF'\n{text}EOF\nkill -HUP 1\n")
        self.drop_sessions()

    def drop_sessions(self):
        self.sh("for p in /proc/[0-9]*; do n=${p#/proc/}; [ $n -gt 1 ] && grep -q '^Name:.sshd' $p/status && kill -9 $n; done; true")

    def scripts(self):
        """How many commands were asked for over SSH so far."""
        return len(re.findall(r"Starting session: command", self.log.read_text()))

    def logins(self):
        return self.log.read_text().count("Accepted publickey")

    def stop(self):
        if self.child:
            # unshare waits for its child, whatever it is told; with the first process of a host all others end.
            if pid := self._pid():
                os.kill(pid, signal.SIGKILL)
            self.child.stop()
        subprocess.run(["ip", "link", "del", self.link], capture_output=True)
