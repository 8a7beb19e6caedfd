"""Many simulated machines of both kinds at a site, and their journals, which no driver of ours has a part in."""
import http.client
import json
import socket

from .ports import free_tcp_port, free_udp_port
from .process import Child
from .sim import FAST, PASSWORD, USER
from .wait import wait_until

NETWORK = "127.92"  # of these tests alone


def address(number):
    return f"{NETWORK}.{number // 254}.{number % 254 + 1}"


class ControlPort(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("sim", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class SimFleet:
    """Machines m0 … of a site; even ones answer by Redfish, odd ones by IPMI."""

    def __init__(self, site, count, power="off"):
        self.site, self.count = site, count
        self.redfish_port, self.ipmi_port = free_tcp_port(address(0)), free_udp_port(address(0))
        folder = site.folder / "fleet"
        (folder / "certificate").mkdir(parents=True)
        self.socket = folder / "sim.sock"
        (folder / "fleet.toml").write_text(
            f'format = 1\nseed = 7\ncontrol = "unix:{self.socket}"\ncertificate = "{folder}/certificate"\n{FAST}'
            f'[[machine]]\nname = "m{{n}}"\nserial = "S{{n}}"\nfirst = 0\ncount = {count}\npower = "{power}"\n'
            f'redfish = "{address(0)}:{self.redfish_port}"\nipmi = "{address(0)}:{self.ipmi_port}"\n')
        self.child = Child("nimbus-sim", [site.programs / "nimbus-sim", "serve", folder / "fleet.toml"], folder / "log")
        site._own(self)
        wait_until(lambda: self.serves() or not self.child.alive(), 30, "nimbus-sim serves", self.child.tail)
        self.pin = self.ask("GET", "/certificate")["pin"]

    def serves(self):
        try:  # its socket is there a moment before somebody listens
            return self.ask("GET", "/certificate")
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    @property
    def names(self):
        return [f"m{n}" for n in range(self.count)]

    def ask(self, method, path, body=None):
        connection = ControlPort(self.socket)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None

    def journal(self, name, what=None, after=0):
        entries = self.ask("GET", f"/machines/{name}/journal?after={after}")["entries"]
        return [e for e in entries if what is None or e["what"] == what]

    def marks(self):
        """Where the machines' journals end now, by name."""
        return {name: max((e["number"] for e in self.journal(name)), default=0) for name in self.names}

    def powers(self):
        return {m["name"]: m["power"].lower() for m in self.ask("GET", "/machines")["machines"]}

    def write(self, number, power="unmanaged", enforcement="observe"):
        """The file of a machine."""
        redfish = number % 2 == 0
        where = f"https://{address(number)}:{self.redfish_port}" if redfish else f"{address(number)}:{self.ipmi_port}"
        tls = f'tls = {{ pin = ["{self.pin}"] }}\n' if redfish else ""
        self.site.registry.write(self.site.registry.machine_path(f"m{number}"),
                                 f'power = "{power}"\nenforcement = "{enforcement}"\n[bmc]\n'
                                 f'driver = "{"redfish" if redfish else "ipmi"}"\naddress = "{where}"\n'
                                 f'credentials = ["bmc/all"]\n{tls}[identity]\nserial = "S{number}"\n')

    def controller(self, workers=16, **options):
        controller = self.site.new_controller(**options)
        controller.add_secret("bmc/all", USER, PASSWORD, ["127.0.0.0/8"])
        text = controller.configuration.read_text()
        controller.configuration.write_text(text.replace("workers = 4", f"workers = {workers}").replace('"debug"', '"info"'))
        self.site.controller = controller
        return controller

    def stop(self):
        self.child.stop()

    def tail(self):
        return self.child.tail()
