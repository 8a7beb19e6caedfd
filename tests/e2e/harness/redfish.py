"""Redfish BMCs that this project did not write: sushy-tools' emulator, started by
tests/peers/sushy with the Python of the checkout's .venv, asked with curl."""
import json
import pathlib

from .process import run, tail
from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv" / "bin" / "python3"
PEER = ROOT / "tests" / "peers" / "sushy" / "sushy.py"
USER, PASSWORD = "admin", "secret12"


class RedfishBmc:
    """One BMC with one machine."""

    def __init__(self, fleet, number, url, pin, uuid):
        self.fleet = fleet
        self.number = int(number)
        self.url, self.pin, self.uuid = url, pin, uuid
        self.user, self.password = USER, PASSWORD
        self.folder = fleet.folder / f"bmc-{number}"
        self.certificate = self.folder / "cert.pem"

    def curl(self, path, *options):
        """A request as a person would make it; returns the body."""
        return run(["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--cacert", self.certificate,
                    "--user", f"{self.user}:{self.password}", *options, self.url + path]).stdout

    def power(self):
        """"on" or "off", asked with curl."""
        return json.loads(self.curl(f"/redfish/v1/Systems/{self.uuid}"))["PowerState"].lower()

    def switch(self, state):
        """Somebody presses the machine's button: not a request to its BMC."""
        self.fleet.peer("power", self.number, state)
        wait_until(lambda: self.power() == state, 30, f"Redfish machine {self.number} is {state}", self.tail)

    def writes(self):
        """Requests that change a machine; logging in and out does not."""
        path = self.folder / "requests"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines
                if line.split(" ", 1)[0] in ("POST", "PATCH", "PUT", "DELETE") and "/SessionService" not in line]

    def fault(self, kind):
        self.fleet.peer("fault", self.number, kind)

    def tail(self):
        return f"--- machine behind {self.url}: writes {self.writes()}\n{tail(self.folder / 'log', 1500)}"


class RedfishFleet:
    def __init__(self, folder, count=1, power_delay=1):
        if not (PYTHON.parent / "gunicorn").exists():
            raise RuntimeError("sushy-tools' emulator is missing: run scripts/setup")
        self.folder = pathlib.Path(folder).resolve()
        self.count, self.power_delay = count, power_delay
        self.bmcs = []

    def peer(self, command, *arguments):
        return run([PYTHON, "-B", PEER, command, self.folder, *arguments], timeout=120).stdout

    def start(self):
        delay = [] if self.power_delay is None else ["--power-delay", self.power_delay]
        listed = self.peer("start", "--count", self.count, *delay)
        self.bmcs = [RedfishBmc(self, *line.split()) for line in listed.splitlines()]
        return self

    def stop(self):
        if self.folder.exists():
            self.peer("stop")
        self.bmcs = []
