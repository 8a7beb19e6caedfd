"""IPMI BMCs that this project did not write: OpenIPMI's ipmi_sim, started by
tests/peers/ipmi_sim, asked with ipmitool."""
import pathlib
import sys

from .process import run

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "peers" / "ipmi_sim"))
import ipmi_sim  # noqa: E402


class IpmiBmc:
    """One BMC of the fleet and the machine behind it."""

    def __init__(self, fleet, number):
        self.fleet = fleet
        self.number = number
        facts = fleet.bmc(number)
        self.host, self.port = facts["address"], facts["port"]
        self.user, self.password = facts["user"], facts["password"]
        self.serial, self.guid = facts["serial"], facts["guid"]

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def ipmitool(self, *arguments):
        return run(["ipmitool", "-I", "lanplus", "-C", "3", "-H", self.host, "-p", str(self.port), "-U", self.user,
                    "-P", self.password, *arguments]).stdout

    def power(self):
        """"on" or "off", asked with ipmitool."""
        return self.ipmitool("chassis", "power", "status").split()[-1]

    def switch(self, state):
        """Somebody presses the machine's button: not a write through the BMC."""
        self.fleet.power(self.number, state)

    def writes(self):
        """Every write that reached the machine through its BMC."""
        return self.fleet.journal(self.number)

    def fault(self, kind, off=False):
        self.fleet.fault(self.number, kind, off)

    def tail(self):
        return f"--- machine behind {self.address}: {self.fleet.power(self.number)}, writes {self.writes()}"


class IpmiFleet:
    def __init__(self, folder, count=1, **options):
        self.simulators = ipmi_sim.Fleet(pathlib.Path(folder).resolve())
        self.count, self.options = count, options
        self.bmcs = []

    def start(self):
        self.simulators.start(count=self.count, **self.options)
        self.bmcs = [IpmiBmc(self.simulators, facts["number"]) for facts in self.simulators.bmcs]
        return self

    def stop(self):
        self.simulators.stop()
        self.bmcs = []
