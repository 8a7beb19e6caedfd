"""nimbusctl export: the example registry as simulated machines, and what drives them."""
import json
import shutil
import signal
import socket
import subprocess
import time
import tomllib
import unittest

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"
SIMULATOR = cli_case.PROGRAMS / "nimbus-sim"
REDFISH = "providers/berlin-1/machines/b1/m011.toml"
DEADLINE_S = 20


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Export(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, self.registry)
        self.udp, self.tcp = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)

    def export(self, *more, code=0):
        return self.ctl("export", "--fleet", self.scratch / "lab", "--first", "127.93.0.1", "--redfish-port", self.tcp, "--ipmi-port", self.udp,
                        "--control", f"unix:{self.scratch}/control.sock", *more, cwd=self.registry, code=code)

    def simulate(self):
        simulator = subprocess.Popen([SIMULATOR, "serve", self.scratch / "lab" / "fleet.toml"], stdout=subprocess.PIPE, text=True)

        def stop():
            simulator.send_signal(signal.SIGTERM)
            simulator.wait(10)
            simulator.stdout.close()

        self.addCleanup(stop)
        self.assertTrue(simulator.stdout.readline().startswith("serving"))

    def control(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.scratch}/control.sock")
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while part := s.recv(65536):
                answer += part
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])

    def test_the_simulated_bmc_has_the_guid_that_the_registry_declares(self):
        self.export()
        declared = tomllib.loads((self.registry / "providers/berlin-1/machines/b3/m031.toml").read_text())["identity"]["bmc_guid"]
        self.simulate()
        raw = subprocess.run(["ipmitool", "-I", "lanplus", "-C", "17", "-H", self.ipmi_host("m031"), "-p", str(self.udp),
                              "-U", "admin", "-P", "password", "raw", "0x06", "0x37"], capture_output=True, text=True, check=True)
        self.assertEqual(raw.stdout.replace(" ", "").replace("\n", ""), declared.replace("-", ""))

    def ipmi_host(self, name):
        fleet = tomllib.loads((self.scratch / "lab" / "fleet.toml").read_text())
        return next(m["ipmi"].rsplit(":", 1)[0] for m in fleet["machine"] if m["name"] == name)

    def wait_for_power(self, name):
        deadline = time.monotonic() + DEADLINE_S
        while self.control(f"/machines/{name}")["power"] != "on":
            self.assertLess(time.monotonic(), deadline, f"{name} is not on")
            time.sleep(0.05)

    def machines(self):
        """Path, file and secret of each machine of the overlay."""
        overlay = self.scratch / "lab" / "registry"
        for path in sorted(overlay.rglob("*.toml")):
            yield path.relative_to(overlay), tomllib.loads(path.read_text())

    def secret(self, provider):
        return tomllib.loads((self.scratch / "lab" / "secrets" / "bmc" / f"{provider}.toml").read_text())

    def test_the_overlay_leads_to_the_fleet(self):
        self.export()
        fleet = tomllib.loads((self.scratch / "lab" / "fleet.toml").read_text())
        machines = dict(self.machines())
        declared = {path.relative_to(EXAMPLE) for path in EXAMPLE.glob("providers/*/machines/**/*.toml")}
        self.assertEqual(set(machines), declared)
        self.assertEqual(len(fleet["machine"]), len(declared))
        by_name = {machine["name"]: machine for machine in fleet["machine"]}
        for path, machine in machines.items():
            simulated = by_name[path.stem]
            key = "redfish" if machine["bmc"]["address"].startswith("https://") else "ipmi"
            self.assertEqual(machine["bmc"]["address"].removeprefix("https://"), simulated[key])
            for key, place in (("serial", "serial"), ("mac", "mac")):
                if place in machine.get("identity", {}):
                    self.assertEqual(simulated[key], machine["identity"][place])
        self.assertEqual({machine["bmc"]["address"][:5] for machine in machines.values()}, {"https", "127.9"})
        # Only the BMC's place and its trust change; comments and everything else stay.
        before, after = (EXAMPLE / REDFISH).read_text().splitlines(), (self.scratch / "lab" / "registry" / REDFISH).read_text().splitlines()
        changed = [line for line in before if line not in after]
        self.assertTrue(changed and all(line.startswith(("address", "tls")) for line in changed), changed)
        shutil.copytree(self.scratch / "lab" / "registry", self.registry, dirs_exist_ok=True)
        self.ctl("validate", cwd=self.registry)

    def test_one_machine_of_each_driver_is_driven(self):
        self.export()
        self.simulate()
        driven = set()
        for path, machine in self.machines():
            kind = "redfish" if machine["bmc"]["address"].startswith("https://") else "ipmi"
            if kind in driven:
                continue
            driven.add(kind)
            secret = self.secret(path.parts[1])
            self.assertEqual(self.control(f"/machines/{path.stem}")["power"], "off")
            (self.by_redfish if kind == "redfish" else self.by_ipmi)(machine, secret)
            self.wait_for_power(path.stem)
        self.assertEqual(driven, {"redfish", "ipmi"})

    def by_redfish(self, machine, secret):
        pin = machine["bmc"]["tls"]["pin"][0].replace("spki-sha256:", "sha256//")
        login = ["curl", "-skf", "--pinnedpubkey", pin, "-u", f"{secret['username']}:{secret['password']}"]
        system = machine["bmc"]["address"] + "/redfish/v1/Systems/1"
        shown = json.loads(subprocess.run([*login, system], check=True, capture_output=True, timeout=20).stdout)
        self.assertEqual(shown["SerialNumber"], machine["identity"]["serial"])
        subprocess.run([*login, system + "/Actions/ComputerSystem.Reset", "-d", '{"ResetType": "On"}'], check=True, timeout=20)

    def by_ipmi(self, machine, secret):
        host, port = machine["bmc"]["address"].split(":")
        subprocess.run(["ipmitool", "-I", "lanplus", "-C", "17", "-H", host, "-p", port, "-U", secret["username"], "-P", secret["password"],
                        "power", "on"], check=True, timeout=30, capture_output=True)

    def test_nothing_is_overwritten_and_one_provider_can_be_chosen(self):
        self.export("--provider", "oslo-1")
        fleet = (self.scratch / "lab" / "fleet.toml").read_text()
        self.assertTrue(all(path.parts[1] == "oslo-1" for path, _ in self.machines()))
        certificate = (self.scratch / "lab" / "certificate" / "cert.pem").read_text()
        self.export(code=6)
        self.assertEqual((self.scratch / "lab" / "fleet.toml").read_text(), fleet)
        self.export("--force")
        self.assertEqual((self.scratch / "lab" / "certificate" / "cert.pem").read_text(), certificate)  # pins stay good
        self.assertNotEqual((self.scratch / "lab" / "fleet.toml").read_text(), fleet)

    def test_what_cannot_be_exported(self):
        self.ctl("export", cwd=self.registry, code=64)
        self.ctl("export", "--fleet", self.scratch / "lab", "--first", "10.0.0.1", cwd=self.registry, code=1)
        self.export("--provider", "nowhere", code=5)
        self.write(self.registry, {REDFISH: "bmc = 1\n"})
        self.export(code=3)


if __name__ == "__main__":
    unittest.main()
