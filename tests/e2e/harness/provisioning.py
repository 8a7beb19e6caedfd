"""The base of tests that install machines: a registry with a provisioning network, an
image and an instance, and what status says of them."""
import os

from . import lab
from .case import EndToEnd

INSTANCE = "tenants/acme/instances/web-1.toml"


class Provisioning(EndToEnd):
    """A test sets image, mirror, boot (nimbus-boot) and machines (the BMCs) in setUp,
    owning each part, and then writes the registry."""

    MODE = os.environ.get("NIMBUS_LAB_MODE", "bios")  # bios | uefi
    BMC = os.environ.get("NIMBUS_LAB_BMC", "ipmi")    # ipmi | redfish | ipmi_sim
    HANDOVER = os.environ.get("NIMBUS_LAB_HANDOVER", "exit")  # how the boot script passes on to the disk
    access = ""  # more of an instance's file, behind [access]
    IPMI = 'privilege = "administrator"' + ('\ncipher_suite = 3\nquirks = ["bootflagsvalid"]' if BMC == "ipmi_sim" else "")

    def setUp(self):
        super().setUp()
        self.user_key = self.folder / "alice"
        self.user_public = lab.make_key(self.user_key)

    def tearDown(self):
        if self._failed():
            print(self.site().forge.git("log", "-3", "-p", "--format=%h %s", self.site().status.ref, check=False).stdout)
            for path in self.site().status.paths():
                print(f"--- {path}\n{self.site().status.text(path)}")
        super().tearDown()

    def write_registry(self, existing_data="erase", image_name="disk.raw.zst", **changes):
        registry = self.site().registry
        registry.write("providers/lab/provider.toml", """\
            region = "lab"
            tenants = ["*"]
            [release]
            erase = "secure"
            """)
        registry.write("providers/lab/networks/provisioning.toml", """\
            cidr = "10.77.0.0/24"
            gateway = "10.77.0.1"
            role = "provisioning"
            dhcp = "server"
            range = ["10.77.0.11", "10.77.0.99"]
            """)
        self.write_machine(existing_data)
        registry.write("policy/tenants/acme.toml", 'providers = ["*"]\n')
        registry.write("policy/people/alice.toml", f'name = "Alice Example"\nssh_keys = ["{self.user_public}"]\n')
        registry.write("images/debian-12.toml", f"""\
            os = "debian"
            version = "12"
            arch = "x86_64"
            installer = "disk-image"
            default_user = "debian"
            [disk]
            urls = ["{self.mirror.url(image_name)}"]
            sha256 = "{changes.get("sha256", self.image.sha256)}"
            size_bytes = {changes.get("size_bytes", self.image.bytes)}
            """)

    def write_machine(self, existing_data="erase", number=1, more="", network="provisioning"):
        bmc = f'driver = "ipmi"\naddress = "{self.machines.address(number)}"\n{self.IPMI}'
        if self.BMC == "redfish":
            bmc = f'driver = "redfish"\naddress = "{self.machines.url(number)}"\ntls = {{ pin = ["{self.machines.pin()}"] }}'
        bmc = bmc.replace("\n", "\n" + 12 * " ")
        self.site().registry.write(f"providers/lab/machines/v{number}.toml", f"""\
            enforcement = "enforce"
            [bmc]
            {bmc}
            credentials = ["bmc/lab"]
            [identity]
            serial = "{self.machines.serial(number)}"
            mac = "{lab.Machines.mac(number)}"
            [boot]
            mode = "{self.MODE}"
            network = "{network}"
            handover = "{self.HANDOVER}"
            [lifecycle]
            existing_data = "{existing_data}"
            {more}
            """)

    def write_instance(self, path=INSTANCE, protected=True, more=""):
        self.site().registry.write(path, f"""\
            provider = "lab"
            image = "debian-12"
            protected = {"true" if protected else "false"}
            {more}
            [access]
            user = "debian"
            ssh_keys = ["person:alice"]
            {self.access}
            """)

    def secret_addresses(self):
        return [self.machines.address(1)] + ([] if self.BMC == "ipmi_sim" else [self.machines.url(1)])

    def new_controller(self, name="controller", install="", image_sources=(), **options):
        controller = self.site().new_controller(name, **options)
        controller.add_secret("bmc/lab", self.machines.USER, self.machines.PASSWORD, self.secret_addresses())
        with open(controller.configuration, "a") as file:
            file.write(f'\n[install]\n{self.boot_line()}image_sources = {list(image_sources) or [self.mirror.url("")]}\n{install}'.replace("'", '"'))
        return controller

    def boot_line(self):
        """Who serves what boots from the network."""
        return f'boot = "{self.boot.control}"\n'

    def start_controller(self, **options):
        self.site().controller = self.new_controller(**options).start()
        return self.site().controller

    def instance(self, path=INSTANCE):
        return self.site().status.document(path) or {}

    def machine(self, name="v1"):
        return self.site().status.machine(name) or {}

    def hold(self):
        """Why it is held; empty: it is not."""
        held = self.machine().get("condition", {}).get("hold", {})
        return held.get("message", "") if held.get("status") == "true" else ""

    def not_held(self):
        if self.hold():
            raise AssertionError(f"held: {self.hold()}")

    def until(self, condition, what, seconds):
        def look():
            self.not_held()
            return condition()
        self.wait(look, what, seconds)

    def installed(self, path=INSTANCE):
        return self.instance(path).get("phase") == "running"

    def settled(self):
        """A condition to wait for: status has nothing more to tell of an installed machine."""
        machine = self.machine()
        done = machine.get("applied_digest") == machine.get("desired_digest", "")
        return done and machine["phase"] == "active" and "restart" in machine and self.site().reconciled("v1", "on")

    def looks_again(self, controller, times=6):
        enough = controller.passes() + times
        self.wait(lambda: controller.passes() >= enough, "it looks at the machine again")

    def release(self, path=INSTANCE):
        self.write_instance(path, protected=False)
        self.site().registry.publish("Unprotect")
        self.wait(lambda: self.instance(path).get("unprotected_since"), "status tells that it is unprotected")
        (self.site().registry.folder / path).unlink()
        self.site().registry.publish("Remove the instance")
