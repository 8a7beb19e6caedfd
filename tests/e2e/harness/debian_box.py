"""A machine made of files whose disk, once it is installed, is a real Debian (scripts/build-image):
its first boot runs the real cloud-init on the seed that the product's installer left, then sshd.
In namespaces of its own, without an emulator; each of its boots is a first one."""
import pathlib
import subprocess

from .paper import PaperMachine

BASE = pathlib.Path(__file__).resolve().parents[3] / "build" / "image" / "root"

# Of the devices only what a system cannot do without: cloud-init looks for disks.
START = """set -e
folder=$1 base=$2 seed=$3
mount -t tmpfs -o size=300m tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o lowerdir="$base",upperdir="$folder/upper",workdir="$folder/work" "$folder/root"
cd "$folder/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o size=1m tmpfs dev
for name in null zero full random urandom tty; do : >"dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
mkdir dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o size=16m tmpfs run
mkdir -p run/sshd var/lib/cloud/seed/nocloud
cp "$seed"/* var/lib/cloud/seed/nocloud/
chroot . cloud-init init --local
chroot . cloud-init init
exec chroot . /usr/sbin/sshd -D -e
"""


class DebianMachine(PaperMachine):
    def _boot_disk(self):
        seed = self.folder / "seed"
        if not self.bootable() or not (seed / "vendor-data").exists():
            return self._note("nothing to boot on its disk")
        if not (self.folder / "lease").exists():
            self._from_network()  # its address
        mount = self.folder / "mount"
        mount.mkdir(exist_ok=True)
        self._note("boots its disk")
        return self._run("debian", ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c", START, "sh", mount, BASE,
                                    seed])

    def _init(self):
        """Its first process, as seen from here."""
        child = self.child
        text = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        return text[0]

    def sh(self, script, check=True):
        """A script as root on it, past SSH; its output."""
        result = subprocess.run(["nsenter", "-t", self._init(), "--net", "--mount", "--uts", "--pid", "--root", "--wd", "sh", "-s"],
                                input=script, text=True, capture_output=True, timeout=60, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if check and result.returncode != 0:
            raise AssertionError(f"{script!r} on the machine: {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout
