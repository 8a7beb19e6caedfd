"""Ramdisks for benchmarks: the installer's, with other programs and another /init in it."""
import os
import pathlib
import re
import shutil
import subprocess

# Until the network is up, as in the installer's own /init.
NETWORK = r"""#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs tmp /run
for module in $(cat /etc/modules); do insmod "$module" 2>/dev/null; done
tries=0
until [ -e /sys/class/net/eth0 ] || [ $tries -ge 100 ]; do sleep 0.1; tries=$((tries + 1)); done
ip link set lo up
ip link set eth0 up
udhcpc -q -n -t 20 -T 1 -i eth0 -s /usr/share/udhcpc/default.script >/dev/null 2>&1
"""


def libraries(program):
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"=> (/\S+)", text)


def derive(source, target, programs=(), applets=(), files=None, init=""):
    """`source` and `target`: folders with vmlinuz and ramdisk.img. `programs`: paths on this machine; `applets`: names that
    busybox answers to; `files`: name in the ramdisk to its content."""
    source, target = pathlib.Path(source), pathlib.Path(target)
    tree = target / "tree"
    tree.mkdir(parents=True)
    subprocess.run(f"zstd -dcq '{source}/ramdisk.img' | cpio -id --quiet", shell=True, cwd=tree, check=True)
    for program in programs:
        path = pathlib.Path(program)
        shutil.copy(path, tree / "bin" / path.name)
        for library in libraries(path):
            shutil.copy(library, tree / "lib/x86_64-linux-gnu" / pathlib.Path(library).name)
    for applet in applets:
        link = tree / "bin" / applet
        if not link.exists():
            os.symlink("busybox", link)
    for name, content in (files or {}).items():
        (tree / name).write_text(content)
    (tree / "init").write_text(NETWORK + init)
    (tree / "init").chmod(0o755)
    subprocess.run(f"find . | LC_ALL=C sort | cpio -o -H newc --quiet --owner 0:0 | zstd -q -19 -T0 >'{target}/ramdisk.img'", shell=True,
                   cwd=tree, check=True)
    shutil.copy(source / "vmlinuz", target / "vmlinuz")
    shutil.rmtree(tree)
