"""Redfish BMCs that this project did not write: sushy-tools' emulator (OpenStack)
behind gunicorn with TLS, one process per BMC, in the checkout's .venv.

The fake machines take 1 to 11 seconds to change power, as sushy-tools decides.
"""
import base64
import getpass
import hashlib
import json
import pathlib
import subprocess
import uuid

from .ports import free_tcp_port, listens
from .process import Child, run
from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv" / "bin"
# A name for machines' UUIDs: the same number has the same UUID in every run.
UUID_SPACE = uuid.UUID("0a1b2c3d-5e6f-4000-8000-00000000beef")

CONFIGURATION = """\
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}
SUSHY_EMULATOR_AUTH_FILE = {auth!r}
SUSHY_EMULATOR_STATE_DIR = {state!r}
SUSHY_EMULATOR_LISTEN_IP = "127.0.0.1"
"""


class SushyBmc:
    """One Redfish BMC with one machine."""

    def __init__(self, folder, number, user, password, certificate, key, outlive):
        self.folder = pathlib.Path(folder)
        self.number = number
        self.user, self.password = user, password
        self.certificate, self.key = certificate, key
        self.uuid = str(uuid.uuid5(UUID_SPACE, str(number)))
        self.address = "127.0.0.1"
        self.port = None
        self.child = None
        self.outlive = outlive
        self.access_log = self.folder / "access.log"
        self._write_configuration()

    @property
    def url(self):
        return f"https://{self.address}:{self.port}"

    def _write_configuration(self):
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        auth = self.folder / "htpasswd"
        hashed = run([VENV / "python3", "-c", "import bcrypt,sys; print(bcrypt.hashpw(sys.argv[1].encode(), "
                      "bcrypt.gensalt(4)).decode())", self.password]).stdout.strip()
        auth.write_text(f"{self.user}:{hashed}\n")
        system = {"uuid": self.uuid, "name": f"machine-{self.number}", "power_state": "Off", "external_notifier": False,
                  "nics": [{"mac": f"52:54:00:aa:00:{self.number:02x}", "ip": "192.0.2.1"}]}
        (self.folder / "emulator.conf").write_text(
            CONFIGURATION.format(systems=[system], auth=str(auth), state=str(state)))

    def start(self):
        for _ in range(5):
            fresh = self.port is None
            if fresh:
                self.port = free_tcp_port(self.address)
            self.child = Child(
                f"sushy emulator {self.number}",
                [VENV / "python3", "-m", "gunicorn", "--bind", f"{self.address}:{self.port}", "--certfile", self.certificate,
                 "--keyfile", self.key, "--worker-class", "gthread", "--threads", "4", "--keep-alive", "30",
                 "--no-control-socket", "--access-logfile", self.access_log, "--access-logformat", "%(m)s %(U)s %(s)s",
                 "sushy_tools.emulator.main:app"],
                self.folder / "log", env=self._environment(), cwd=self.folder, outlive=self.outlive)
            wait_until(lambda: listens(self.address, self.port) or not self.child.alive(), 60, "the emulator listens",
                       self.child.tail)
            if self.child.alive():
                return self
            if not fresh:
                break
            self.port = None
        raise RuntimeError("sushy-tools' emulator did not start\n" + self.child.tail())

    def _environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "USER": getpass.getuser(), "LC_ALL": "C.UTF-8",
                "SUSHY_EMULATOR_CONFIG": str(self.folder / "emulator.conf")}

    def stop(self):
        if self.child is not None:
            self.child.stop()
            self.child = None

    # --- The machine as somebody else sees it: curl, never our own client.

    def curl(self, path, *options):
        """A request as a person would make it; returns the body."""
        return run(["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--cacert", self.certificate,
                    "--user", f"{self.user}:{self.password}", *options, self.url + path]).stdout

    def power(self):
        """"on" or "off", asked with curl."""
        return json.loads(self.curl(f"/redfish/v1/Systems/{self.uuid}"))["PowerState"].lower()

    def switch(self, state):
        """Switches the machine behind the controller's back; waits until it is so."""
        kind = {"on": "On", "off": "ForceOff"}[state]
        self.curl(f"/redfish/v1/Systems/{self.uuid}/Actions/ComputerSystem.Reset", "--header",
                  "Content-Type: application/json", "--data", json.dumps({"ResetType": kind}))
        wait_until(lambda: self.power() == state, 30, f"Redfish machine {self.number} is {state}", self.tail)

    def writes(self):
        """Requests that change something, as the emulator logged them; our own switch() included."""
        if not self.access_log.exists():
            return []
        return [line for line in self.access_log.read_text().splitlines()
                if line.split(" ", 1)[0] in ("POST", "PATCH", "PUT", "DELETE") and "/Sessions" not in line]

    def requests(self):
        return self.access_log.read_text().splitlines() if self.access_log.exists() else []

    def tail(self):
        return self.child.tail() if self.child else "--- the emulator is down"


class SushyFleet:
    """Any number of Redfish BMCs with one certificate."""

    def __init__(self, folder, count=1, user="admin", password="secret12", outlive=False):
        if not (VENV / "gunicorn").exists():
            raise RuntimeError("sushy-tools' emulator is missing: run scripts/setup")
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.user, self.password = user, password
        self.certificate, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bmc.lab.example",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate])
        self.bmcs = [SushyBmc(self.folder / f"bmc-{n}", n, user, password, self.certificate, self.key, outlive)
                     for n in range(1, count + 1)]

    def start(self):
        for bmc in self.bmcs:
            bmc.start()
        return self

    def stop(self):
        for bmc in self.bmcs:
            bmc.stop()

    @property
    def pin(self):
        """The TLS pin of the registry format, computed with openssl."""
        public = run(["openssl", "x509", "-in", self.certificate, "-noout", "-pubkey"]).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public.encode(), capture_output=True,
                             check=True).stdout
        return "spki-sha256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()
