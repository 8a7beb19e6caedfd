#!/usr/bin/env python3
"""Power state of many IPMI BMCs: the driver against libfreeipmi, OpenIPMI's asynchronous library,
ipmipower and ipmitool, in one run.

  ipmi_poll.py BUILD_FOLDER [--responder ipmi_sim|nimbus-sim] [--suite 3|17] [--bmcs 1000] [--per-process 100]
               [--rounds 10] [--in-flight 64]

Prints client CPU per operation and the ratios. The BMCs are ipmi_sim (suite 3), packed, without a machine
behind them, or one nimbus-sim, on loopback: they share the processors with the client, so only CPU per poll is meant
to be compared, not wall time.
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers" / "ipmi_sim"))
sys.path.insert(0, str(HERE.parent / "peers" / "nimbus_sim"))
from ipmi_sim import Fleet  # noqa: E402
import simulator  # noqa: E402


class SimulatedFleet:
    """BMCs of one nimbus-sim, with what this program asks of a Fleet."""

    def __init__(self, program, count):
        self.simulator = simulator.Simulator(f'[[machine]]\nname = "m{{n}}"\ncount = {count}\nipmi = "127.44.0.1:{{udp}}"\n',
                                             program=program)
        # A fleet file counts on over last octets 1 to 254.
        self.bmcs = [{"address": f"127.44.{i // 254}.{i % 254 + 1}", "port": self.simulator.udp, "user": simulator.USER,
                      "password": simulator.PASSWORD} for i in range(count)]

    def stop(self):
        self.simulator.stop()


def start_fleet(given, folder):
    if given.responder == "nimbus-sim":
        return SimulatedFleet(given.build / "bin" / "nimbus-sim", given.bmcs)
    return Fleet(folder).start(count=given.bmcs, address="127.43.0.1", per_process=given.per_process, machine=False)


def table(program, arguments, hosts):
    out = subprocess.run([program, *arguments], input=hosts, capture_output=True, text=True, check=True).stdout
    rows = {}
    for line in out.splitlines():
        name, operations, failed, wall, cpu = line.split("\t")
        rows[name] = float(cpu)
        print(f"{name:22} {int(operations):7} operations {int(failed):3} failed  wall {float(wall):7.3f} s"
              f"  client CPU {float(cpu):8.2f} us each")
        if int(failed):
            sys.exit("operations failed: the figures mean nothing")
    return rows


def ipmipower(fleet, suite):
    """`ipmipower --stat` on all BMCs: opens, polls and closes each."""
    names = ",".join(f"{b['address']}:{b['port']}" for b in fleet.bmcs)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(["/usr/sbin/ipmipower", "-D", "LAN_2_0", "-W", "opensesspriv", "-h", names, "-u",
                          fleet.bmcs[0]["user"], "-p", fleet.bmcs[0]["password"], "-I", suite, "--stat"],
                         capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answers = out.stdout.count(": off") + out.stdout.count(": on")
    each = cpu / len(fleet.bmcs) * 1e6
    print(f"{'ipmipower --stat':22} {len(fleet.bmcs):7} operations {len(fleet.bmcs) - answers:3} failed"
          f"  {'':15}  client CPU {each:8.2f} us each")
    return each


def ipmitool(fleet, suite, count):
    """CPU seconds of one `ipmitool power status`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for bmc in fleet.bmcs[:count]:
        subprocess.run(["ipmitool", "-I", "lanplus", "-C", suite, "-H", bmc["address"], "-p", str(bmc["port"]), "-U", bmc["user"],
                        "-P", bmc["password"], "power", "status"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--responder", choices=("ipmi_sim", "nimbus-sim"), default="ipmi_sim")
    parser.add_argument("--suite", choices=("3", "17"), default="3")
    parser.add_argument("--bmcs", type=int, default=1000)
    parser.add_argument("--per-process", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--in-flight", type=int, default=64)
    given = parser.parse_args()
    if given.responder == "ipmi_sim" and given.suite == "17":
        parser.error("ipmi_sim does not have cipher suite 17")
    programs = given.build / "tests" / "bench"
    with tempfile.TemporaryDirectory(prefix="nimbus-bench-ipmi-") as folder:
        fleet = start_fleet(given, folder)
        try:
            hosts = "".join(f"{b['address']} {b['port']}\n" for b in fleet.bmcs)
            arguments = [fleet.bmcs[0]["user"], fleet.bmcs[0]["password"], given.suite, str(given.rounds), str(given.in_flight)]
            ours = table(programs / "bench_ipmi_poll", arguments, hosts)
            freeipmi = programs / "freeipmi_poll"
            if freeipmi.exists():
                theirs = table(freeipmi, arguments, hosts)
                for name in ("link.poll", "bmc.batch", "bmc.poll"):
                    print(f"{name} / libfreeipmi.poll = {ours[name] / theirs['libfreeipmi.poll']:.2f}")
                print(f"link.open / libfreeipmi.open = {ours['link.open'] / theirs['libfreeipmi.open']:.2f}")
            else:
                print("libfreeipmi-dev is not installed: no comparison with it")
            openipmi = programs / "openipmi_poll"
            if given.suite == "17":
                print("OpenIPMI's library does not have cipher suite 17: no comparison with it")
            elif openipmi.exists():
                theirs = table(openipmi, arguments, hosts)
                for name in ("link.poll", "bmc.batch", "bmc.poll"):
                    print(f"{name} / openipmi.poll = {ours[name] / theirs['openipmi.poll']:.2f}")
            else:
                print("libopenipmi-dev is not installed: no comparison with it")
            tool = ipmipower(fleet, given.suite)
            print(f"(link.open + poll + close) / ipmipower = "
                  f"{(ours['link.open'] + ours['link.poll'] + ours['link.close']) / tool:.2f}")
            print(f"ipmitool, a process for each BMC: {ipmitool(fleet, given.suite, 20) * 1e6:.0f} us each")
            print(f"last live answer, a tenth dead / none dead = {ours['dead.tenth'] / ours['dead.none']:.2f}")
        finally:
            fleet.stop()


if __name__ == "__main__":
    main()
