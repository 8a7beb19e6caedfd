"""Runs nimbus-sim for a test: a fleet on loopback addresses of its own, ended by its process id."""
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

USER, PASSWORD = "admin", "password"
FAST = '[defaults.timing]\npower_on = "200ms"\npower_off = "200ms"\nsoft_off = "300ms"\npost = "500ms"\nbmc_reset = "1s"\n'


def need(*programs):
    """Skips the whole test where a peer is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            print(f"skipped: {program} is not installed")
            sys.exit(77)


def wait_for(condition, what, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Simulator:
    """machines: TOML; {udp} and {tcp} in it become free port numbers."""

    def __init__(self, machines, defaults=FAST, *flags, program=None):
        self.folder = tempfile.mkdtemp(prefix="nimbus-sim-")
        self.udp, self.tcp = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        self.control_path = os.path.join(self.folder, "control.sock")
        self.fleet = os.path.join(self.folder, "fleet.toml")
        text = machines.replace("{udp}", str(self.udp)).replace("{tcp}", str(self.tcp))
        with open(self.fleet, "w") as file:
            file.write(f'format = 1\ncontrol = "unix:{self.control_path}"\n{defaults}{text}')
        self.process = subprocess.Popen([program or sys.argv[1], "serve", *flags, self.fleet], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("serving"):
            raise RuntimeError(f"nimbus-sim did not start: {line}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.process.stdout.close()
        shutil.rmtree(self.folder)
        if code != 0:
            raise AssertionError(f"nimbus-sim ended with {code}")

    def control(self, method, path, body=None):
        connection = Unix(self.control_path)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {path}: {answer.status} {data!r}")
        return json.loads(data) if answer.headers["Content-Type"] == "application/json" else data.decode(errors="replace")

    def state(self, name):
        return self.control("GET", f"/machines/{name}")

    def journal(self, name):
        return self.control("GET", f"/machines/{name}/journal")["entries"]

    def wait_power(self, name, power):
        wait_for(lambda: self.state(name)["power"] == power, f"{name} is {power}")

    def wait_host(self, name, phase):
        wait_for(lambda: self.state(name)["host"] == phase, f"host of {name} is {phase}")


class Redfish:
    """One kept TLS connection with Basic authentication; knows nothing of the schema."""

    def __init__(self, host, port, user=USER, password=PASSWORD):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection(host, port, context=context, timeout=20)
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def call(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {**self.headers, **(headers or {})})
        answer = self.connection.getresponse()
        text = answer.read()
        self.last_headers = answer.headers
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:  # neither JSON nor UTF-8
            return answer.status, text

    def get(self, path):
        status, body = self.call("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body}")
        return body


class Case(unittest.TestCase):
    MACHINES = '[[machine]]\nname = "m{n}"\ncount = 2\nipmi = "127.77.0.1:{udp}"\nredfish = "127.77.0.1:{tcp}"\n'
    HOST = "127.77.0.1"

    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator(cls.MACHINES)

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def run_tool(self, *command, expect=0, timeout=40):
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        self.assertEqual(done.returncode, expect, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def main():
    warnings.simplefilter("ignore", ResourceWarning)  # kept connections end with the program
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], warnings="ignore")  # names of tests may follow the program
