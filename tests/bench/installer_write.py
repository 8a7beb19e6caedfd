#!/usr/bin/env python3
"""CPU of the installer's write path beside curl | tee >(sha256sum) | zstd -d | dd, both in the same boot of the same guest.

    tests/bench/installer_write.py [--pairs 5] [--programs build/bench/bin] [--bench build/bench/tests/bench/bench_installer_write]

The guest is a QEMU machine with the installer's kernel and modules, and in its ramdisk the benchmark, curl, bash, zstd and
coreutils as Debian has them; both sides fetch the small Debian image from nginx and write it to the same virtual disk, one after
the other. Needs root, for a network namespace of its own.
"""
import argparse
import os
import pathlib
import re
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import ramdisk  # noqa: E402
from harness import lab  # noqa: E402
from harness.process import Child  # noqa: E402
from harness.wait import wait_until  # noqa: E402

ADDRESS = "10.77.0.11"
INIT = """
ip addr add @ADDRESS@/24 dev eth0
ip route add default via @SERVER@ dev eth0
ln -s /proc/self/fd /dev/fd
for side in curl bash zstd tee sha256sum dd; do [ -x /bin/$side ] && [ ! -L /bin/$side ] || echo "missing: $side"; done
bench_installer_write http://@MIRROR@:8090/disk.raw.zst @SHA256@ @BYTES@ /dev/vda @PAIRS@ 2>&1
echo "bench ended"
poweroff -f
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/bench/bin")
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/bench/tests/bench/bench_installer_write")
    options = parser.parse_args()
    lab.need()
    lab.enter_network()
    with tempfile.TemporaryDirectory(prefix="nimbus-bench-") as name:
        folder = pathlib.Path(name)
        image = lab.Image(options.programs, small=True)
        mirror = lab.FileServer(folder / "mirror", image.folder).start()
        init = INIT
        for word, value in (("ADDRESS", ADDRESS), ("SERVER", lab.ADDRESS), ("MIRROR", lab.MIRROR), ("SHA256", image.sha256), ("BYTES", image.bytes),
                            ("PAIRS", options.pairs)):
            init = init.replace(f"@{word}@", str(value))
        programs = [options.bench, *(shutil.which(program) for program in ("bash", "curl", "zstd", "tee", "sha256sum", "dd"))]
        ramdisk.derive(image.installer, folder / "guest", programs, ("ln", "["), init=init)
        disk, serial = folder / "disk.raw", folder / "serial.log"
        with open(disk, "wb") as file:
            file.truncate(2 << 30)
        qemu = Child("qemu", ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-no-reboot",
                              "-machine", "pc,graphics=off", "-accel", "tcg,thread=multi,tb-size=256",
                              "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand", "-m", "1024", "-smp", "2", "-serial", f"file:{serial}",
                              "-kernel", folder / "guest/vmlinuz", "-initrd", folder / "guest/ramdisk.img",
                              "-append", "console=ttyS0,115200n8 quiet panic=5 mitigations=off",
                              "-drive", f"if=none,id=drive0,file={disk},format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=drive0",
                              "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no",
                              "-device", f"virtio-net-pci,netdev=net0,mac={lab.Machines.mac(1)},romfile="], folder / "qemu.log")
        text = lambda: serial.read_text(errors="replace") if serial.exists() else ""
        try:
            wait_until(lambda: "bench ended" in text() or not qemu.alive(), 3600, "the guest has measured", lambda: text()[-3000:] + qemu.tail())
        finally:
            qemu.stop()
            mirror.stop()
        # The first line may follow what the kernel or the firmware left of its own.
        lines = re.findall(r"(?:pair \d+: |installer_write: |missing: ).*$", text().replace("\r", ""), re.M)
        print("\n".join(lines) + f"\nload average {os.getloadavg()[0]:.1f}")
        if not any(line.startswith("installer_write") for line in lines):
            raise SystemExit(f"the guest did not measure:\n{text()[-3000:]}")


if __name__ == "__main__":
    main()
