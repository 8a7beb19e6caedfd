"""Tests of nimbusctl with a fleet of nimbus-sim."""
import http.client
import json
import random
import signal
import socket
import subprocess

import cli_case

NIMBUS_SIM = cli_case.PROGRAMS / "nimbus-sim"
USER, PASSWORD = "admin", "Sim-Pass-77"
FLEET = """format = 1
control = "unix:{control}"
certificate = "{folder}"
[[defaults.account]]
name = "admin"
password = "Sim-Pass-77"
role = "administrator"
[defaults.timing]
power_on = "100ms"
power_off = "100ms"
post = "100ms"
[[machine]]
name = "m{{n}}"
count = 6
redfish = "{network}.1:{port}"
ipmi = "{network}.1:{port}"
profile = "{profile}"
[[machine]]
name = "supermicro"
redfish = "{network}.11:{port}"
profile = "supermicro"
"""


class Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class HardwareCase(cli_case.CliCase):
    PROFILE = "polite"

    def setUp(self):
        super().setUp()
        self.network = f"127.{random.randrange(80, 120)}.{random.randrange(1, 250)}"
        self.port = random.randrange(20000, 30000)
        self.socket = self.scratch / "control.sock"
        fleet = self.scratch / "fleet.toml"
        fleet.write_text(FLEET.format(control=self.socket, folder=self.scratch / "tls", network=self.network,
                                      port=self.port, profile=self.PROFILE))
        self.sim = subprocess.Popen([NIMBUS_SIM, "serve", fleet], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.assertTrue(self.sim.stdout.readline().startswith("serving"))
        self.pin = self.control("GET", "/certificate")["pin"]
        self.secrets = self.scratch / "secrets"

    def stop(self):
        self.sim.send_signal(signal.SIGTERM)
        self.sim.wait(20)
        self.sim.stdout.close()

    def control(self, method, path, body=None):
        connection = Control(self.socket)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = json.loads(connection.getresponse().read() or "null")
        connection.close()
        return answer

    def journal(self, machine):
        return self.control("GET", f"/machines/{machine}/journal")["entries"]

    def url(self, number):
        return f"https://{self.network}.{number}:{self.port}"

    def ipmi(self, number):
        return f"{self.network}.{number}:{self.port}"

    def hw(self, *arguments, code=0, stdin="", **more):
        done = self.ctl(*arguments, code=code, stdin=stdin, environment={"NIMBUS_SECRETS": str(self.secrets)}, **more)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)
        self.assert_safe_for_terminals(done.stdout)
        return done

    def keep(self, name, *allow, password=PASSWORD, user=USER):
        self.hw("secret", "set", name, "--username", user, *[word for one in allow for word in ("--allow", one)],
                stdin=password + "\n")
