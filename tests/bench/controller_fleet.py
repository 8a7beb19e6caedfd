#!/usr/bin/env python3
"""What a fleet costs nimbusd, against nimbus-sim on the same machine.

    tests/bench/controller_fleet.py [--sizes 100,1000,10000] [--programs build/release/bin] [--webhooks 20]
                                    [--driver redfish|ipmi] [--workers 16] [--dead 10] [--steady-only] [--first-rounds 3]

For each size, half Redfish and half IPMI or all of one: the first full pass, CPU and memory of steady passes, what a commit that
touches 10 machines costs (time, CPU), and the time from a webhook to the first write at a BMC. Simulator and
controller share the cores, so times are upper bounds; CPU is nimbusd's own. "Waiting" is how many workers wait for BMCs at a time. --dead adds so many machines, in percent,
whose BMCs take packets and connections and say nothing. --first-rounds only takes the first full pass, so often without and with
the dead in turns, and tells the ratio. The load average is printed.
"""
import argparse
import os
import pathlib
import resource
import socket
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from harness.controller import Nimbusd  # noqa: E402
from harness.ports import free_tcp_port, free_udp_port  # noqa: E402
from harness.process import Child, run  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.wait import wait_until  # noqa: E402

REDFISH_PORT, IPMI_PORT = free_tcp_port(), free_udp_port()
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))) / 1024


def address(number):
    network = 100 + os.getpid() % 100  # two runs on one machine do not meet
    return f"127.{network}.{number // 254}.{number % 254 + 1}"  # as nimbus-sim counts: no .0, no .255


class Fleet:
    def __init__(self, size, programs, folder, options):
        self.size, self.programs, self.options = size, programs, options
        self.site = Site(folder / "site", programs)
        self.socket = folder / "sim.sock"
        (folder / "fleet.toml").write_text(
            f'format = 1\ncontrol = "unix:{self.socket}"\n' +
            f'[[machine]]\nname = "m{{n}}"\nserial = "S{{n}}"\nfirst = 0\ncount = {size}\n'
            f'redfish = "{address(0)}:{REDFISH_PORT}"\nipmi = "{address(0)}:{IPMI_PORT}"\n')
        self.simulator = Child("nimbus-sim", [programs / "nimbus-sim", "serve", folder / "fleet.toml"], folder / "sim.log")
        wait_until(self.socket.exists, 60, "nimbus-sim serves", self.simulator.tail)
        self.pin = self.pin_of(self.ask("certificate"))
        self.dead = range(size, size + size * options.dead // 100)
        self.silent = []
        for number in self.dead:  # nobody reads or accepts
            for kind, port in ((socket.SOCK_STREAM, REDFISH_PORT), (socket.SOCK_DGRAM, IPMI_PORT)):
                self.silent.append(socket.socket(type=kind))
                self.silent[-1].bind((address(number), port))
                if kind == socket.SOCK_STREAM:
                    self.silent[-1].listen(64)

    @staticmethod
    def pin_of(text):
        start = text.index("spki-sha256:")
        return text[start:start + 12 + 44]

    def ask(self, what):
        return run(["curl", "--silent", "--unix-socket", self.socket, f"http://sim/{what}"]).stdout

    def path(self, number):
        return f"providers/lab/machines/r{number // 500}/m{number}.toml"

    def write(self, number, power):
        redfish = number % 2 == 0 if not self.options.driver else self.options.driver == "redfish"
        where = f"https://{address(number)}:{REDFISH_PORT}" if redfish else f"{address(number)}:{IPMI_PORT}"
        tls = f'tls = {{ pin = ["{self.pin}"] }}\n' if redfish else ""
        self.site.registry.write(self.path(number), f'power = "{power}"\nenforcement = "enforce"\n[bmc]\n'
                                 f'driver = "{"redfish" if redfish else "ipmi"}"\naddress = "{where}"\n'
                                 f'credentials = ["bmc/all"]\n{tls}[identity]\nserial = "S{number}"\n')

    def start(self, observe):
        for number in range(self.size + len(self.dead)):
            self.write(number, "off")
        self.site.registry.publish("A fleet")
        controller = Nimbusd(self.programs / "nimbusd", self.site.folder / "controller", self.site.forge, poll="1h",
                             publish="5s", observe=observe)
        text = controller.configuration.read_text().replace("workers = 4", f"workers = {self.options.workers}").replace('"debug"', '"warning"')
        controller.configuration.write_text(text)
        controller.add_secret("bmc/all", "admin", "password", ["127.0.0.0/8"])
        self.site.controller = self.site._own(controller)
        return controller

    def stop(self):
        self.site.stop()
        self.simulator.stop()
        for one in self.silent:
            one.close()


def first_pass(fleet, controller):
    started = time.monotonic()
    controller.start(60)
    def all_seen():
        return controller.metrics().get('nimbus_machines{state="off"}', 0) >= fleet.size
    wait_until(all_seen, 600, "all machines were read", controller.tail)
    took = time.monotonic() - started
    wait_until(lambda: controller.metric("nimbus_term") > 0, 60, "the term is taken", controller.tail)
    return took, cpu_seconds(controller.child.pid)


def first_rounds(size, options):
    """Seconds of the first full pass without and with dead BMCs, in turns."""
    took = {0: [], options.dead: []}
    for turn in range(options.first_rounds):
        for dead in sorted(took, reverse=turn % 2 == 1):
            with tempfile.TemporaryDirectory(prefix="nimbus-bench-") as name:
                fleet = Fleet(size, options.programs.resolve(), pathlib.Path(name), argparse.Namespace(**{**vars(options), "dead": dead}))
                try:
                    took[dead].append(first_pass(fleet, fleet.start(options.observe))[0])
                    print(f"  {size} machines, {dead} % dead beside: {took[dead][-1]:.1f} s, load average {os.getloadavg()[0]:.1f}", flush=True)
                finally:
                    fleet.stop()
    without, with_dead = (statistics.median(took[key]) for key in sorted(took))
    print(f"\n{size} machines, first full pass: {without:.1f} s, with {options.dead} % dead {with_dead:.1f} s, ratio {with_dead / without:.2f}")


def looks(controller):
    """Passes that read a BMC."""
    return controller.metrics().get('nimbus_reconcile_total{result="success"}', 0)


def steady(controller, seconds):
    def waited():
        return controller.metric("nimbus_bmc_request_duration_seconds_sum")
    passes, cpu, started, before = looks(controller), cpu_seconds(controller.child.pid), time.monotonic(), waited()
    wait_until(lambda: time.monotonic() - started > seconds, seconds + 30, "a while went by")
    done, took = looks(controller) - passes, time.monotonic() - started
    return (cpu_seconds(controller.child.pid) - cpu) / max(done, 1), done / took, (waited() - before) / took


def commit_of(fleet, controller, machines, power, delivery):
    """Seconds from the webhook to the first and to the last write, and nimbusd's CPU."""
    for number in machines:
        fleet.write(number, power)
    commit = fleet.site.registry.publish(f"Switch {len(machines)} machines {power}")
    writes, cpu = controller.metric("nimbus_device_writes_total"), cpu_seconds(controller.child.pid)
    started = time.monotonic()
    controller.push_webhook(commit, delivery=delivery)
    wait_until(lambda: controller.metric("nimbus_device_writes_total") > writes, 120, "the first write", controller.tail)
    first = time.monotonic() - started
    wait_until(lambda: controller.metric("nimbus_device_writes_total") >= writes + len(machines), 120, "all writes", controller.tail)
    return first, time.monotonic() - started, cpu_seconds(controller.child.pid) - cpu


def watch_thread_seconds(pid):
    """CPU of the thread that reads and accepts commits."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "watch":
            return int((task / "schedstat").read_text().split()[0]) / 1e9
    raise SystemExit("nimbusd has no thread of the name watch")


def commit_cost(fleet, controller, rounds):
    """Seconds of CPU per commit that switches 10 machines on: of nimbusd, and of its watch thread. Nobody scrapes it
    meanwhile, and with --observe 1h nothing else falls due: the simulator tells when the machines are on."""
    pid = controller.child.pid

    def a_while(seconds):
        started = time.monotonic()
        wait_until(lambda: time.monotonic() - started > seconds, seconds + 30, "a while went by")

    a_while(15)  # what the first pass left to be published
    cpu, watch = cpu_seconds(pid), watch_thread_seconds(pid)
    for turn in range(rounds):
        machines = range(10 * turn, 10 * turn + 10)
        for number in machines:
            fleet.write(number, "on")
        controller.push_webhook(fleet.site.registry.publish("Switch 10 machines on"), delivery=f"c{turn}")
        wait_until(lambda m=machines: all('"power":"on"' in fleet.ask(f"machines/m{n}") for n in m), 120, "ten machines are on", controller.tail)
        a_while(6)  # and are seen to be, and published
    return (cpu_seconds(pid) - cpu) / rounds, (watch_thread_seconds(pid) - watch) / rounds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--webhooks", type=int, default=20)
    parser.add_argument("--observe", default="30s")
    parser.add_argument("--driver", choices=("redfish", "ipmi"))
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--dead", type=int, default=0)
    parser.add_argument("--first-rounds", type=int, default=0, metavar="N", help="only the first full pass, N times without and with --dead")
    parser.add_argument("--steady-only", action="store_true")
    parser.add_argument("--commits-only", type=int, default=0, metavar="N", help="the cost of N commits; give --observe 1h")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, observe = {options.observe}")
    for size in map(int, options.sizes.split(",")):
        if options.first_rounds:
            first_rounds(size, options)
            continue
        with tempfile.TemporaryDirectory(prefix="nimbus-bench-") as name:
            fleet = Fleet(size, options.programs.resolve(), pathlib.Path(name), options)
            try:
                controller = fleet.start(options.observe)
                took, cpu = first_pass(fleet, controller)
                print(f"\n{size} machines\n  first full pass              {took:8.1f} s, {cpu / size * 1e3:.2f} ms CPU per machine"
                      f"\n  memory                       {memory_mib(controller.child.pid):8.0f} MiB", flush=True)
                if options.commits_only:
                    cpu, watch = commit_cost(fleet, controller, options.commits_only)
                    print(f"  commit touching 10 machines  {cpu * 1e3:8.0f} ms CPU, {watch * 1e3:.1f} ms of them to read and accept it", flush=True)
                    continue
                per_pass, rate, waiting = steady(controller, 30)
                print(f"  steady passes                {per_pass * 1e3:8.2f} ms CPU per pass, {rate:.0f} passes/s, "
                      f"{waiting:.2f} of {options.workers} workers waiting", flush=True)
                if options.steady_only:
                    continue
                few = list(range(10))
                commit_of(fleet, controller, few, "on", "w")
                first, last, cpu = commit_of(fleet, controller, list(range(10, 20)), "on", "a")
                print(f"  commit touching 10 machines  {last:8.2f} s to the last write, {cpu * 1e3:.0f} ms CPU", flush=True)
                firsts = []
                for i in range(options.webhooks):
                    firsts.append(commit_of(fleet, controller, [20 + i], "on", f"h{i}")[0])
                firsts.sort()
                if firsts:
                    print(f"  webhook to first BMC write   p50 {statistics.median(firsts) * 1e3:.0f} ms, "
                          f"p99 {firsts[min(len(firsts) - 1, int(len(firsts) * 0.99))] * 1e3:.0f} ms ({len(firsts)} pushes)", flush=True)
            finally:
                fleet.stop()
    print(f"\nload average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
