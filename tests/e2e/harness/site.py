"""A whole small site, put together from the other modules."""
import pathlib

from .controller import Nimbusd
from .forge import GitForge
from .ipmi import IpmiFleet
from .redfish import RedfishFleet
from .registry import RegistryRepo
from .status import StatusBranch


class Site:
    """A forge, a registry, BMCs and a controller below one folder.

    Parts start when asked for, and stop() ends all of them in reverse order.
    """

    def __init__(self, folder, programs, provider="lab", outlive=False):
        self.folder = pathlib.Path(folder).resolve()
        self.programs = pathlib.Path(programs)
        self.provider = provider
        self.outlive = outlive
        self.parts = []
        self.ipmi = self.redfish = self.controller = None
        self.forge = self._own(GitForge(self.folder / "forge", outlive=outlive).start())
        self.registry = RegistryRepo(self.folder / "registry", self.forge, provider)
        self.status = StatusBranch(self.forge, provider)

    def _own(self, part):
        self.parts.append(part)
        return part

    def start_ipmi(self, count=1, **options):
        self.ipmi = IpmiFleet(self.folder / "ipmi", count, **options)
        self._own(self.ipmi)
        self.ipmi.start()
        return self.ipmi.bmcs

    def start_redfish(self, count=1, **options):
        self.redfish = RedfishFleet(self.folder / "redfish", count, **options)
        self._own(self.redfish)
        self.redfish.start()
        return self.redfish.bmcs

    def new_controller(self, name="controller", **options):
        """A controller with secrets for all BMCs that were started before; not running yet."""
        controller = Nimbusd(self.programs / "nimbusd", self.folder / name, self.forge, self.provider, outlive=self.outlive,
                             **options)
        if self.ipmi:
            one = self.ipmi.bmcs[0]
            controller.add_secret("bmc/ipmi", one.user, one.password, [b.address for b in self.ipmi.bmcs])
        if self.redfish:
            one = self.redfish.bmcs[0]
            controller.add_secret("bmc/redfish", one.user, one.password, [b.url for b in self.redfish.bmcs])
        return self._own(controller)

    def start_controller(self, **options):
        self.controller = self.new_controller(**options).start()
        return self.controller

    def reconciled(self, machine, power=None):
        """A condition to wait for: status says ready, with this power."""
        document = self.status.machine(machine) or {}
        ready = document.get("condition", {}).get("ready", {})
        return ready.get("status") == "true" and (power is None or document.get("power") == power)

    def published(self, commit):
        """A condition to wait for: status tells about this registry commit."""
        registry = (self.status.controller() or {}).get("registry", {})
        return registry.get("observed_commit") == commit

    # --- machine files

    def ipmi_machine(self, name, bmc, power="on", enforcement="enforce", serial=None, extra=""):
        """Writes the file of a machine behind an IPMI BMC; None leaves a key out."""
        wanted = "".join(f'{k} = "{v}"\n' for k, v in (("power", power), ("enforcement", enforcement)) if v)
        path = self.registry.machine_path(name)
        self.registry.write(path, f"""{wanted}{extra}
[bmc]
driver = "ipmi"
address = "{bmc.address}"
credentials = ["bmc/ipmi"]
cipher_suite = 3

[identity]
serial = "{serial or bmc.serial}"
""".lstrip())
        return path

    def redfish_machine(self, name, bmc, power="on", enforcement="enforce", uuid=None, extra=""):
        """Writes the file of a machine behind a Redfish BMC; None leaves a key out."""
        wanted = "".join(f'{k} = "{v}"\n' for k, v in (("power", power), ("enforcement", enforcement)) if v)
        path = self.registry.machine_path(name)
        self.registry.write(path, f"""{wanted}{extra}
[bmc]
driver = "redfish"
address = "{bmc.url}"
credentials = ["bmc/redfish"]
tls = {{ pin = ["{bmc.pin}"] }}

[identity]
uuid = "{uuid or bmc.uuid}"
""".lstrip())
        return path

    def adopted_instance(self, tenant, name, machine, power="on", restart=0):
        """An instance that runs on the machine already, with what it needs to be valid."""
        self.registry.write(f"policy/tenants/{tenant}.toml", 'providers = ["*"]\n')
        self.registry.write(f"providers/{self.provider}/provider.toml", 'region = "lab"\ntenants = ["*"]\n')
        self.registry.write("images/any.toml", f"""\
            os = "debian"
            arch = "x86_64"
            installer = "disk-image"
            [disk]
            urls = ["https://images.example/any.raw"]
            sha256 = "{'0' * 63 + '1'}"
            size_bytes = 1048576
            """)
        self.registry.write(f"tenants/{tenant}/instances/{name}.toml", f"""\
            provider = "{self.provider}"
            image = "any"
            power = "{power}"
            restart = {restart}
            [requirements]
            machine = "{machine}"
            [adopt]
            host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xFhB9l3cQ8m0yM7i0k2c0dGmX1m2e4q3Y4W5c6d7e"
            address = "192.0.2.17"
            """)

    def stop(self):
        for part in reversed(self.parts):
            part.stop()
        self.parts = []

    def diagnosis(self):
        """Everything that helps to understand a failure."""
        texts = [f"--- status branch\n{self.status.log()}"]
        for part in self.parts:
            for piece in getattr(part, "bmcs", None) or [part]:
                texts.append(piece.tail())
        return "\n".join(texts)
