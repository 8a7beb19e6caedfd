"""A provisioning network of the test's own, with QEMU machines behind simulated BMCs.

enter_network() puts this process and all its children into a new network namespace:
nothing in it can reach another network, and it goes with the process. Needs root.
"""
import base64
import ctypes
import hashlib
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

from .process import Child, run, tail
from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"
ADDRESS = "10.77.0.1"
MIRROR = "10.78.0.1"  # of images: they never come from the provisioning network itself
CLONE_NEWNET = 0x40000000
NEEDED = ("qemu-system-x86_64", "dnsmasq", "nginx", "ip", "ssh", "busybox")
SKIP = 77


def need():
    """Ends the test as skipped where it cannot run, with the reason."""
    missing = [program for program in NEEDED if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
    why = f"missing: {', '.join(missing)} (scripts/setup)" if missing else None
    if os.geteuid() != 0:
        why = "a network namespace needs root"
    if why:
        print(f"skipped: {why}")
        sys.exit(SKIP)


def ip(*words):
    run(["ip", *words])


def enter_network(machines=1):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    ip("link", "set", "lo", "up")
    ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
    ip("addr", "add", f"{ADDRESS}/24", "dev", "br0")
    ip("addr", "add", f"{MIRROR}/24", "dev", "br0")
    ip("addr", "add", "fd00::1/64", "dev", "br0", "nodad")
    ip("link", "set", "br0", "up")
    for number in range(machines):
        ip("tuntap", "add", f"tap{number}", "mode", "tap")
        ip("link", "set", f"tap{number}", "master", "br0", "up")


def add_network(bridge, address):
    """Another provisioning network, beside the first."""
    ip("link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
    ip("addr", "add", f"{address}/24", "dev", bridge)
    ip("link", "set", bridge, "up")


def pin_of(certificate):
    """As bmc.tls has it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, capture_output=True, check=True).stdout
    return "spki-sha256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def clear_network():
    """Links of an earlier test's machines; gone by themselves with their namespaces, a moment later."""
    wait_until(lambda: "pm1@" not in run(["ip", "-o", "link"]).stdout, 10, "links of earlier machines are gone")


class Image:
    """A Debian image and the installer's ramdisk, made once and kept in build/. The small
    one has a shell script in cloud-init's place and boots in half the time. `kernel`: a package
    whose kernel the ramdisk has, in place of the image's."""

    def __init__(self, programs, small=False, kernel=None):
        whole = BUILD / "image"
        run([ROOT / "scripts" / "build-image", *(["--small"] if small else []), whole], timeout=900)
        folder = whole / "small" if small else whole
        installer = BUILD / f"ramdisk-{kernel}" if kernel else BUILD / "ramdisk"
        program = pathlib.Path(programs) / "nimbus-installer"
        ramdisk = installer / "ramdisk.img"
        if not ramdisk.exists() or ramdisk.stat().st_mtime < program.stat().st_mtime:
            source = ["--kernel", kernel] if kernel else ["--image", whole]
            run([ROOT / "scripts" / "build-ramdisk", "--programs", programs, *source, installer], timeout=300)
        self.folder, self.installer = folder, installer
        self.sha256 = (folder / "disk.raw.zst.sha256").read_text().strip()
        self.bytes = int((folder / "disk.raw.size").read_text())


class FileServer:
    """nginx with the files of a folder: an image's mirror. `rate`: as limit_rate, per connection."""

    def __init__(self, folder, files, port=8090, rate="0", more=""):
        self.folder, self.port = pathlib.Path(folder), port
        self.folder.mkdir(parents=True)
        self.configuration = self.folder / "nginx.conf"
        self.configuration.write_text(f"""
daemon off; master_process off; pid {self.folder}/pid; error_log stderr warn;
events {{}}
http {{
  access_log {self.folder}/access.log; sendfile on;
  client_body_temp_path {self.folder}/t; proxy_temp_path {self.folder}/t; fastcgi_temp_path {self.folder}/t;
  uwsgi_temp_path {self.folder}/t; scgi_temp_path {self.folder}/t;
  server {{ {self.listen()} root {files}; limit_rate {rate}; {more} }}
}}
""")
        self.child = None

    def listen(self):
        return f"listen {ADDRESS}:{self.port}; listen {MIRROR}:{self.port};"

    def start(self):
        self.child = Child("nginx", ["nginx", "-p", self.folder, "-c", self.configuration, "-e", "stderr"], self.folder / "log")
        return self

    def url(self, name):
        return f"http://{MIRROR}:{self.port}/{name}"

    def kill(self):
        self.child.kill()

    def stop(self):
        if self.child:
            self.child.stop()

    def tail(self):
        return f"{self.child.tail()}\n{tail(self.folder / 'access.log')}"


class SecureServer(FileServer):
    """The same over https only, with a certificate of a CA of its own."""

    def __init__(self, folder, files, port=8443, **options):
        folder = pathlib.Path(folder)
        self.authority = Authority(pathlib.Path(f"{folder}-ca"))
        self.ca_file = self.authority.certificate
        super().__init__(folder, files, port, **options)

    def listen(self):
        key, certificate = self.authority.sign(MIRROR)
        return f"listen {ADDRESS}:{self.port} ssl; listen {MIRROR}:{self.port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"

    def url(self, name):
        return f"https://{MIRROR}:{self.port}/{name}"


class Authority:
    """A CA, and certificates for addresses."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.key, self.certificate = folder / "ca.key", folder / "ca.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test CA",
             "-keyout", self.key, "-out", self.certificate])

    def sign(self, address):
        key, request, certificate, more = (self.folder / f"server.{end}" for end in ("key", "csr", "pem", "ext"))
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=mirror", "-keyout", key, "-out", request])
        more.write_text(f"subjectAltName=IP:{address}\n")
        run(["openssl", "x509", "-req", "-days", "2", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-extfile", more,
             "-out", certificate])
        return key, certificate


class _Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class NimbusBoot:
    """nimbus-boot on the provisioning network."""

    def __init__(self, program, folder, installer, more="", address=ADDRESS, within=(), interface="br0"):
        self.program, self.folder = program, pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.control = self.folder / "control.sock"
        self.configuration = self.folder / "nimbus-boot.toml"
        self.configuration.write_text(f"""
interface = "{interface}"
address = "{address}"
control = "{self.control}"
state = "{self.folder}/state"
installer = "{installer}"
kernel_arguments = "console=ttyS0,115200n8 mitigations=off"
router_advertisements = true
{more}
""")
        self.child = None
        self.within = within  # a program that starts it, as other than root

    def start(self):
        self.child = Child("nimbus-boot", [*self.within, self.program, "--config", self.configuration], self.folder / "log")
        wait_until(lambda: self.control.exists() and self.healthy() or not self.child.alive(), 20, "nimbus-boot serves", self.tail)
        if not self.child.alive():
            raise AssertionError("nimbus-boot ended\n" + self.tail())
        return self

    def call(self, method, path, body=None):
        connection = _Unix(self.control)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def dnsmasq(self):
        return self.child_of("dnsmasq")

    def child_of(self, program):
        """The process id of its child; None: it has none such."""
        for place in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = place.read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue  # ended meanwhile
            if name == program and int(rest.split()[1]) == self.child.pid:
                return int(place.parent.name)
        return None

    def healthy(self):
        try:
            return self.call("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def kill(self):
        self.child.kill()

    def stop(self):
        if self.child:
            self.child.stop()

    def tail(self):
        return self.child.tail() if self.child else "--- nimbus-boot was not started"


class Machines:
    """nimbus-sim with QEMU machines; machine n has IPMI on 127.7.0.n:623."""

    USER, PASSWORD = "admin", "password"

    def __init__(self, program, folder, count=1, mode="Bios", disk_gib=2, disk_type="virtio", serial="SN-LAB-{n}", data_disk=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.program, self.count, self.mode = program, count, mode
        self.serials = serial
        self.fleet = self.folder / "fleet.toml"
        (self.folder / "certificate").mkdir()
        text = f'format = 1\nseed = 7\ncertificate = "{self.folder}/certificate"\n' '[defaults.timing]\npower_on = "10ms"\npower_off = "10ms"\nsoft_off = "1s"\npost = "10ms"\n'
        for number in range(1, count + 1):
            text += f"""
[[machine]]
name = "v{number}"
ipmi = "127.7.0.{number}:623"
redfish = "127.7.0.{number}:8443"
mac = "{self.mac(number)}"
serial = "{self.serial(number)}"
[machine.bios]
BootMode = "{mode}"
[machine.qemu]
folder = "{self.folder}/v{number}"
disk = "{self.disk(number)}"
disk_gib = {disk_gib}
disk_type = "{disk_type}"
{f'data_disk = "{self.data_disk(number)}"' if data_disk else ""}
tap = "tap{number - 1}"
memory_mib = 512
cpus = 2
"""
        self.fleet.write_text(text)
        self.child = None
        for number in range(1, count + 1) if data_disk else ():
            write_here_and_there(self.data_disk(number), 1)

    @staticmethod
    def mac(number):
        return f"52:54:00:77:00:{number:02x}"

    def serial(self, number):
        return self.serials.replace("{n}", str(number))

    def disk(self, number):
        return self.folder / f"disk{number}.raw"

    def data_disk(self, number):
        return self.folder / f"data{number}.raw"

    def address(self, number):
        return f"127.7.0.{number}"

    def url(self, number):
        return f"https://{self.address(number)}:8443"

    def start(self):
        self.child = Child("nimbus-sim", [self.program, "serve", self.fleet], self.folder / "log")
        wait_until(lambda: self.ipmitool(1, "chassis", "power", "status", check=False).returncode == 0, 30, "the BMC answers", self.tail)
        return self

    def ipmitool(self, number, *words, check=True):
        return run(["ipmitool", "-I", "lanplus", "-C", "17", "-H", self.address(number), "-U", self.USER, "-P", self.PASSWORD, *words],
                   check=check)

    def pin(self):
        """Of the certificate that all Redfish services show."""
        return pin_of(self.folder / "certificate" / "cert.pem")

    def power(self, number):
        return self.ipmitool(number, "chassis", "power", "status").stdout.split()[-1]

    def console(self, number):
        path = self.folder / f"v{number}" / "serial.log"
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""

    def network_boot(self, number):
        """Once, as any BMC's user could ask for it."""
        mode = "0xa0" if self.mode == "Uefi" else "0x80"
        self.ipmitool(number, "raw", "0", "8", "5", mode, "0x04", "0", "0", "0")

    def stop(self):
        if self.child:
            self.child.stop()

    def tail(self):
        texts = [self.child.tail()] if self.child else []
        for number in range(1, self.count + 1):
            texts.append(f"--- console of v{number} (end)\n{self.console(number)[-4000:]}")
        return "\n".join(texts)


class IpmiSimMachines:
    """The same QEMU machine behind OpenIPMI's ipmi_sim: what that BMC says of power and boot device is done to the machine, and
    the machine's own power-off is what the BMC says then. nimbus-sim only runs the virtual machine."""

    USER, PASSWORD = "admin", "secret12"

    def __init__(self, program, folder, **options):
        from .ipmi import IpmiFleet
        self.bmcs = IpmiFleet(pathlib.Path(folder) / "bmcs")
        self.program, self.folder, self.options = program, pathlib.Path(folder), options
        self.machines, self._end, self._thread = None, threading.Event(), None

    def start(self):
        self.bmc = self.bmcs.start().bmcs[0]
        self.machines = Machines(self.program, self.folder / "machines", serial=self.bmc.serial, **self.options).start()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def _follow(self):
        simulators, number = self.bmcs.simulators, self.bmc.number
        boot = simulators.state(number) / "boot"
        on = False
        while not self._end.wait(0.1):
            wanted = simulators.power(number) == "on"
            if wanted and not on:
                if boot.exists() and boot.read_text().strip() == "pxe":
                    self.machines.network_boot(1)
                    boot.write_text("none\n")  # once
                self.machines.ipmitool(1, "power", "on")
            elif on and not wanted:
                self.machines.ipmitool(1, "power", "off")
            elif on and self.machines.power(1) == "off":
                simulators.power(number, "off")
                wanted = False
            on = wanted

    def address(self, _number):
        return self.bmc.address

    def serial(self, _number):
        return self.bmc.serial

    def power(self, _number):
        return self.bmc.power()

    def disk(self, number):
        return self.machines.disk(number)

    def data_disk(self, number):
        return self.machines.data_disk(number)

    def console(self, number):
        return self.machines.console(number)

    def stop(self):
        self._end.set()
        if self._thread:
            self._thread.join(30)
        if self.machines:
            self.machines.stop()
        self.bmcs.stop()

    def tail(self):
        return f"{self.bmc.tail()}\n{self.machines.tail()}" if self.machines else ""


def ssh(address, key, known_hosts, *command, user="debian", check=True):
    """Logs in as anybody could: with the key, and only if the host key is the known one."""
    return run(["ssh", "-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
                "-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5",
                f"{user}@{address}", *command], check=check)


def write_here_and_there(path, gib):
    """A disk with something on it that its owner may want to keep."""
    with open(path, "wb") as disk:
        disk.truncate(gib << 30)
        for at in range(0, gib << 30, 64 << 20):
            disk.seek(at)
            disk.write(b"precious" * 512)


def make_key(path):
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", path])
    return pathlib.Path(f"{path}.pub").read_text().strip()
