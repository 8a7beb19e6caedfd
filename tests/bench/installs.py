#!/usr/bin/env python3
"""What many installs at once cost nimbusd and nimbus-boot: CPU and memory.

    tests/bench/installs.py [--count 500] [--programs build/release/bin]

BMCs are nimbus-sim's (IPMI); each machine is a few HTTP requests that do what iPXE and the installer do on the wire, and one
sshd answers for all of them. Everything shares the cores, so the time is an upper bound; CPU is each program's own, with what its
children used beside it (ssh for nimbusd, dnsmasq for nimbus-boot). Needs root, for a network namespace of its own.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from harness import lab  # noqa: E402
from harness.paper import PaperImage, SimBmcs  # noqa: E402
from harness.process import Child, run  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.wait import wait_until  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def usage(pid):
    """CPU seconds of its own and of its ended children, and the most memory that it had, in MiB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    most = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024
    return (int(fields[11]) + int(fields[12])) / TICKS, (int(fields[13]) + int(fields[14])) / TICKS, most


class Bmcs(SimBmcs):
    def address(self, number):
        return f"127.7.{number // 254}.{number % 254 + 1}"  # as nimbus-sim counts: no .0, no .255

    def write(self, serial):
        self.fleet.write_text(
            f'format = 1\ncontrol = "unix:{self.control}"\n[defaults.timing]\npower_on = "1s"\npower_off = "1s"\npost = "2s"\n'
            f'[[machine]]\nname = "v{{n}}"\nfirst = 0\ncount = {self.count}\nserial = "S{{n}}"\nipmi = "{self.address(0)}:623"\n')


def mac(number):
    return f"52:54:00:78:{number >> 8:02x}:{number & 255:02x}"


def ask(method, path, body=None, token=None):
    connection = http.client.HTTPConnection(lab.ADDRESS, 8080, timeout=60)
    connection.request(method, path, body, {"X-Nimbus-Token": token} if token else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != 200:
        raise AssertionError(f"{method} {path}: {answer.status} {text}")
    return text


def install(number, host_key):
    """On the wire, one install."""
    script = ask("GET", "/ipxe/" + mac(number).replace(":", "-"))
    fact = dict(re.findall(r"nimbus\.(\w+)=(\S+)", script))
    if "run" not in fact:
        return False

    def tell(stage, **more):
        report = {"run": fact["run"], "nonce": fact["nonce"], "stage": stage, "all_bytes": 1 << 30, **more}
        ask("POST", "/v1/report", json.dumps(report), fact["token"])

    tell("checked-in", inventory={"serial": f"S{number}", "cpus": 32, "memory_bytes": 1 << 38, "macs": [mac(number)],
                                  "disks": [{"id": f"serial.D{number}", "bytes": 1 << 39}]})
    ask("GET", "/v1/plan", token=fact["token"])
    for tenth in range(10):
        tell("writing", done_bytes=tenth * (1 << 30) // 10, disk=f"serial.D{number}")
    tell("written", disk=f"serial.D{number}")
    tell("installed", disk=f"serial.D{number}", host_key=host_key)
    return True


def write_registry(site, bmcs, count, image):
    registry = site.registry
    registry.write("providers/lab/provider.toml", 'region = "lab"\ntenants = ["*"]\n')
    registry.write("providers/lab/networks/provisioning.toml",
                   'cidr = "10.77.0.0/16"\nrole = "provisioning"\ndhcp = "server"\nrange = ["10.77.1.0", "10.77.9.255"]\n')
    registry.write("policy/limits.toml", "[disruption]\nmachines_installing = 1000\nmachines_rebooting = 1000\n")
    registry.write("policy/tenants/acme.toml", 'providers = ["*"]\n')
    registry.write("images/debian-12.toml", f'os = "debian"\nversion = "12"\narch = "x86_64"\ninstaller = "disk-image"\n[disk]\n'
                   f'urls = ["http://{lab.MIRROR}:8090/disk.raw"]\nsha256 = "{image.sha256}"\nsize_bytes = {image.bytes}\n')
    for number in range(count):
        registry.write(f"providers/lab/machines/r{number // 200}/v{number}.toml",
                       f'[bmc]\ndriver = "ipmi"\naddress = "{bmcs.address(number)}"\nprivilege = "administrator"\n'
                       f'credentials = ["bmc/lab"]\n[identity]\nserial = "S{number}"\nmac = "{mac(number)}"\n'
                       '[boot]\nmode = "bios"\nnetwork = "provisioning"\n[lifecycle]\nexisting_data = "erase"\n')
        registry.write(f"tenants/acme/instances/i-{number}.toml",
                       f'provider = "lab"\nimage = "debian-12"\n[requirements]\nmachine = "v{number}"\n'
                       '[access]\nuser = "debian"\n')


def start_sshd(folder):
    """One sshd for every address of the network."""
    lab.ip("route", "add", "local", "10.77.0.0/16", "dev", "lo")
    key = folder / "host_key"
    public = lab.make_key(key)
    (folder / "sshd").write_text(f"ListenAddress 0.0.0.0:22\nHostKey {key}\nUsePAM no\nPidFile none\nStrictModes no\nMaxStartups 2000\n")
    pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return Child("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd"], folder / "sshd.log"), " ".join(public.split()[:2])


def measure(count, programs, folder):
    image = PaperImage(folder / "image", mib=4)
    site = Site(folder / "site", programs)
    bmcs = Bmcs(programs / "nimbus-sim", folder / "bmcs", count).start()
    boot = lab.NimbusBoot(programs / "nimbus-boot", folder / "boot", image.installer).start()
    sshd, host_key = start_sshd(folder)
    write_registry(site, bmcs, count, image)
    commit = site.registry.publish("Machines and instances")
    controller = site.new_controller(publish="2s", observe="30s")
    text = controller.configuration.read_text().replace("workers = 4", "workers = 32").replace('"debug"', '"info"')
    controller.configuration.write_text(text + f'\n[install]\nboot = "{boot.control}"\nimage_sources = ["http://{lab.MIRROR}:8090/"]\n')
    controller.add_secret("bmc/lab", bmcs.USER, bmcs.PASSWORD, [bmcs.address(n) for n in range(count)])
    done = set()
    started = time.monotonic()
    controller.start(seconds=120)
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as workers:
            running = {}
            def progress():
                for machine in (bmcs.call("GET", "/machines") or {"machines": []})["machines"]:
                    number = int(machine["name"][1:])
                    if machine["power"].lower() == "on" and number not in running:
                        running[number] = workers.submit(install, number, host_key)
                for number, future in list(running.items()):
                    if future.done() and number not in done:
                        if future.result():
                            done.add(number)
                        else:
                            del running[number]
                return controller.log.read_text().count("[run-done]") >= count
            wait_until(progress, 900, f"{count} machines are installed", controller.tail)
        seconds = time.monotonic() - started
        print(f"{count} installs in {seconds:.0f} s (load average {os.getloadavg()[0]:.1f}); registry {commit[:8]}")
        for name, pid in (("nimbusd", controller.child.pid), ("nimbus-boot", boot.child.pid)):
            own, children, most = usage(pid)
            print(f"{name:12} {own:7.1f} s CPU ({own / count * 1000:.0f} ms each), {children:6.1f} s in children, {most:.0f} MiB at most")
    finally:
        for part in (controller, boot, bmcs, sshd):
            part.stop()
        site.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin")
    arguments = parser.parse_args()
    lab.enter_network(machines=0)
    run(["ip", "addr", "flush", "dev", "br0"])
    lab.ip("addr", "add", f"{lab.ADDRESS}/16", "dev", "br0")
    lab.ip("addr", "add", "fd00::1/64", "dev", "br0", "nodad")
    with tempfile.TemporaryDirectory(prefix="nimbus-bench-") as folder:
        measure(arguments.count, arguments.programs.resolve(), pathlib.Path(folder))


if __name__ == "__main__":
    main()
