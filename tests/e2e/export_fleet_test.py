#!/usr/bin/env python3
"""nimbusctl export --fleet of the example registry: nimbusd runs on the overlay, against the simulated fleet."""
import json
import shutil

from harness.case import PROGRAMS, ROOT, EndToEnd, main
from harness.fleet import ControlPort
from harness.ports import free_tcp_port, free_udp_port
from harness.process import Child, run
from harness.site import Site
from harness.wait import wait_until

EXAMPLE = ROOT / "examples" / "registry-repo"
PROVIDER = "berlin-1"
ORDERED_ON = ("m012", "m032")  # behind Redfish, behind IPMI


class ExportedFleet(EndToEnd):
    def site(self):
        if self._site is None:
            self._site = Site(self.folder, PROGRAMS, provider=PROVIDER)
        return self._site

    def export(self):
        """The example registry, checked out, and the lab that is made of it."""
        registry, lab = self.site().registry.folder, self.folder / "lab"
        shutil.copytree(EXAMPLE, registry, dirs_exist_ok=True)
        self.socket = self.folder / "sim.sock"
        run([PROGRAMS / "nimbusctl", "export", "--fleet", lab, "--first", "127.94.0.1", "--redfish-port", str(free_tcp_port()),
             "--ipmi-port", str(free_udp_port()), "--control", f"unix:{self.socket}"], cwd=registry)
        shutil.copytree(lab / "registry", registry, dirs_exist_ok=True)
        self.simulator = Child("nimbus-sim", [PROGRAMS / "nimbus-sim", "serve", lab / "fleet.toml"], self.folder / "sim.log")
        self.addCleanup(self.simulator.stop)
        wait_until(self.socket.exists, 30, "nimbus-sim serves", self.simulator.tail)
        return registry, lab

    def ask(self, path):
        connection = ControlPort(self.socket)
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    def machines(self, registry):
        """Names of the provider's machines, and their paths, which are those of their status documents."""
        return {path.stem: str(path.relative_to(registry)) for path in (registry / "providers" / PROVIDER / "machines").rglob("*.toml")}

    def status(self, path):
        return self.site().status.document(path) or {}

    def condition(self, path, kind):
        return self.status(path).get("condition", {}).get(kind, {}).get("status")

    def test_nimbusd_drives_the_machines_of_the_overlay(self):
        registry, lab = self.export()
        for name in ORDERED_ON:
            (path,) = registry.rglob(f"{name}.toml")
            path.write_text('power = "on"\nenforcement = "enforce"\n' + path.read_text())
        commit = self.site().registry.publish("The lab")
        controller = self.site().new_controller()
        shutil.copytree(lab / "secrets", controller.secrets, dirs_exist_ok=True)
        self.site().controller = controller
        controller.start()
        self.wait(lambda: self.site().published(commit), "status tells of the overlay")
        machines = self.machines(registry)
        powers = dict.fromkeys(machines, "off") | dict.fromkeys((*ORDERED_ON, "m018"), "on")  # m018 says so in the example
        self.wait(lambda: {name: self.status(path).get("power") for name, path in machines.items()} == powers, "every machine is known as it should be")
        for name in ORDERED_ON:
            self.wait(lambda n=name: self.condition(machines[n], "ready") == "true", f"{name} is ready")
        # The fleet's own word for it, and nobody else was touched.
        self.assertEqual({m["name"]: m["power"] for m in self.ask("/machines")["machines"] if m["name"] in machines}, powers)
        for name, path in machines.items():
            self.assertEqual(self.condition(path, "reachable"), "true", name)
            self.assertEqual(self.condition(path, "identity"), "true", name)


if __name__ == "__main__":
    main()
