"""nimbus-sim as part of a site: a fleet file, its control port, and Redfish asked with curl."""
import json
import pathlib

from .ports import free_tcp_port
from .process import Child, run
from .wait import wait_until

USER, PASSWORD = "admin", "password"
FAST = """\
[defaults.timing]
power_on = "100ms"
power_off = "100ms"
soft_off = "200ms"
post = "300ms"
bmc_reset = "1s"
"""


class Simulator:
    """machines: TOML; {redfish} and {ipmi} in it become port numbers."""

    def __init__(self, program, folder, machines):
        self.program, self.folder = program, pathlib.Path(folder)
        (self.folder / "certificate").mkdir(parents=True)
        self.redfish, self.ipmi = free_tcp_port(), free_tcp_port()
        self.control = self.folder / "sim.sock"
        self.machines, self.child = machines, None

    def start(self, *edits):
        """edits: pairs of old and new text in the fleet file, as somebody who opens a machine."""
        text = self.machines
        for old, new in edits:
            if old not in text:
                raise AssertionError(f"no {old!r} in the fleet file")
            text = text.replace(old, new)
        fleet = self.folder / "fleet.toml"
        fleet.write_text(f'format = 1\nseed = 7\ncontrol = "unix:{self.control}"\ncertificate = "{self.folder}/certificate"\n{FAST}'
                         + text.replace("{redfish}", str(self.redfish)).replace("{ipmi}", str(self.ipmi)))
        self.control.unlink(missing_ok=True)
        self.child = Child("nimbus-sim", [self.program, "serve", fleet], self.folder / "nimbus-sim.log")
        wait_until(self.control.exists, 20, "nimbus-sim serves", self.child.tail)
        return self

    def stop(self):
        if self.child is not None:
            self.child.stop()
            self.child = None

    def ask(self, path, *options):
        return json.loads(run(["curl", "--silent", "--unix-socket", self.control, *options, f"http://sim{path}"]).stdout)

    def machine(self, name):
        return self.ask(f"/machines/{name}")

    def journal(self, name, source=None):
        entries = self.ask(f"/machines/{name}/journal")["entries"]
        return [e for e in entries if source is None or e["source"] == source]

    def pin(self):
        return self.ask("/certificate")["pin"]

    def redfish_get(self, address, path):
        return json.loads(run(["curl", "--silent", "--insecure", "--user", f"{USER}:{PASSWORD}",
                               f"https://{address}:{self.redfish}{path}"]).stdout)

    def tail(self):
        return self.child.tail() if self.child else ""
