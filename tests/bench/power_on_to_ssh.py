#!/usr/bin/env python3
"""From power-on to a login: Nimbus beside the least that could do it, on the same QEMU machine with the same image.

    tests/bench/power_on_to_ssh.py [--pairs 5] [--programs build/dev/bin] [--installer build/bench/bin]

The bare chain is dnsmasq, nginx and a shell in a ramdisk: wget | tee | zstd -d | dd with sha256sum beside it, the first MiB held
back until the digest is right, the seed copied onto the disk. No identity, no plan, no reports, no controller; nobody waits for
anything. Interleaved pairs. The clock runs from the moment that the machine has power until SSH lets the user's key in. Needs root,
for a network namespace of its own.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import ramdisk  # noqa: E402
os.environ.setdefault("NIMBUS_TEST_LIMIT", "14400")
from harness import lab  # noqa: E402
from harness.process import Child, run  # noqa: E402
from harness.wait import wait_until  # noqa: E402

ADDRESS = "10.77.0.11"
BARE = r"""
say() { echo "bare: $*"; }
die() { say "failed: $*"; poweroff -f; }
url=http://@SERVER@:8090
disk=/dev/vda
mkfifo /run/copy
sha256sum </run/copy >/run/sum &
hash=$!
wget -q -O - $url/disk.raw.zst | tee /run/copy | zstd -dcq | {
  dd of=/run/head bs=1M count=1 iflag=fullblock 2>/dev/null
  dd of=$disk bs=1M seek=1 iflag=fullblock conv=notrunc,fsync 2>/dev/null
} || die transfer
wait $hash
[ "$(cut -d' ' -f1 /run/sum)" = "@SHA256@" ] || die digest
dd if=/run/head of=$disk bs=1M conv=notrunc,fsync 2>/dev/null || die head
blockdev --rereadpt $disk
tries=0
until [ -b ${disk}3 ] || [ $tries -ge 50 ]; do sleep 0.1; tries=$((tries + 1)); done
mkdir -p /mnt
mount -t ext4 ${disk}3 /mnt || die mount
mkdir -p /mnt/var/lib/cloud/seed/nocloud
for file in meta-data vendor-data; do wget -q -O /mnt/var/lib/cloud/seed/nocloud/$file $url/seed/$file || die seed; done
umount /mnt
sync
say restarting
reboot -f
"""


class Lab:
    """What both chains use: the machine, the image's mirror, and the user's key."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.image = lab.Image(options.programs, small=True)
        self.key = folder / "alice"
        self.public = lab.make_key(self.key)

    def machines(self, name):
        return lab.Machines(self.options.programs / "nimbus-sim", self.folder / name).start()

    def until_login(self, since):
        def login():
            return run(["ssh", "-F", "none", "-i", self.key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                        "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=2", f"debian@{ADDRESS}", "true"],
                       check=False).returncode == 0
        wait_until(login, 900, "the machine lets its user in")
        return time.time() - since


def qemu_cpu(machines):
    """Seconds that the machine's emulation has used so far."""
    pid = machines.child.process.pid
    total = 0.0
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        fields = pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


class Bare(Lab):
    name = "bare chain"

    def prepare(self):
        self.installer = self.folder / "bare-installer"
        init = BARE.replace("@SERVER@", lab.ADDRESS).replace("@SHA256@", self.image.sha256)
        ramdisk.derive(self.image.installer, self.installer, [shutil.which("zstd")],
                       ("wget", "sha256sum", "dd", "tee", "mkfifo", "umount", "blockdev", "mkdir", "sync", "reboot", "tr"), init=init)
        www = self.folder / "www"
        (www / "seed").mkdir(parents=True)
        for source in (self.image.folder / "disk.raw.zst", self.installer / "vmlinuz", self.installer / "ramdisk.img"):
            os.symlink(source, www / source.name)
        host_key = self.folder / "host_key"
        lab.make_key(host_key)
        private = host_key.read_text().replace("\n", "\\n")
        (www / "seed/meta-data").write_text('{"instance-id":"b","local-hostname":"web-1"}\n')
        (www / "seed/vendor-data").write_text('#cloud-config\n{"users":[{"name":"debian","ssh_authorized_keys":["%s"]}],"ssh_keys":'
                                              '{"ed25519_private":"%s"}}\n' % (self.public, private))
        base = f"http://{lab.ADDRESS}:8090"
        (www / "script").write_text(f"#!ipxe\nkernel {base}/vmlinuz initrd=ramdisk.img console=ttyS0,115200n8 panic=30 quiet mitigations=off\n"
                                    f"initrd {base}/ramdisk.img\nboot\n")
        self.www = www

    def once(self, number):
        folder = self.folder / f"bare{number}"
        mirror = lab.FileServer(folder / "mirror", self.www).start()
        dnsmasq = Child("dnsmasq", ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=br0", "--bind-interfaces",
                                    "--user=root", "--enable-ra", "--ra-param=br0,10", "--dhcp-range=fd00::,ra-only,64,10m",
                                    "--dhcp-range=10.77.0.0,static,255.255.255.0,1h", f"--dhcp-host={lab.Machines.mac(1)},{ADDRESS},v1",
                                    f"--dhcp-boot=http://{lab.ADDRESS}:8090/script", f"--dhcp-leasefile={folder}/leases", "--pid-file="],
                        folder / "dnsmasq.log")
        machines = self.machines(f"bare{number}/machines")
        try:
            machines.network_boot(1)
            machines.ipmitool(1, "power", "on")
            begun = time.time()
            took = self.until_login(begun)
            return took, qemu_cpu(machines)
        finally:
            machines.stop()
            dnsmasq.stop()
            mirror.stop()


class Ours(Lab):
    name = "Nimbus"

    def prepare(self):
        from harness.provisioning import Provisioning
        self.case_type = Provisioning

    def once(self, number):
        bench = self

        class Case(self.case_type):
            def runTest(self):  # unittest asks for one
                pass

        case = Case()
        case.setUp()
        try:
            case.user_key, case.user_public = bench.key, bench.public
            case.image = bench.image
            case.mirror = case.own(lab.FileServer(case.folder / "mirror", bench.image.folder).start())
            case.boot = case.own(lab.NimbusBoot(bench.options.programs / "nimbus-boot", case.folder / "boot", bench.image.installer).start())
            case.machines = case.own(bench.machines(f"ours{number}"))
            case.write_registry()
            case.write_instance()
            case.site().registry.publish("An instance")
            controller = case.start_controller()
            wait_until(lambda: "[run-boots]" in controller.log.read_text(), 120, "the machine is switched on")
            took = bench.until_login(time.time())
            cpu = qemu_cpu(case.machines)
            wait_until(case.installed, 120, "the instance runs")
            return took, cpu
        finally:
            case.tearDown()
            case.doCleanups()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/dev/bin")
    options = parser.parse_args()
    lab.need()
    lab.enter_network()
    with tempfile.TemporaryDirectory(prefix="nimbus-bench-") as name:
        folder = pathlib.Path(name)
        chains = []
        for kind in (Bare, Ours):
            (folder / kind.__name__).mkdir()
            chain = kind(folder / kind.__name__, options)
            chain.prepare()
            chains.append(chain)
        times, cpus = [], []
        for pair in range(options.pairs):
            order = chains if pair % 2 == 0 else chains[::-1]
            took = {chain.name: chain.once(pair) for chain in order}
            (bare, bare_cpu), (ours, ours_cpu) = took["bare chain"], took["Nimbus"]
            times.append(ours / bare)
            cpus.append(ours_cpu / bare_cpu)
            print(f"pair {pair + 1}: bare {bare:.1f} s ({bare_cpu:.1f} s CPU), Nimbus {ours:.1f} s ({ours_cpu:.1f} s CPU), "
                  f"ratio {times[-1]:.2f} ({cpus[-1]:.2f}), load {os.getloadavg()[0]:.0f}", flush=True)
        print(f"power_on_to_ssh: median ratio {statistics.median(times):.2f} (at most 1.3 wanted), of the emulation's CPU {statistics.median(cpus):.2f}")


if __name__ == "__main__":
    main()
