"""The base of tests of host configuration: a site with one host (harness/host.py) and one adopted instance on it."""
import json
import re
import textwrap

from .case import ROOT, EndToEnd
from .host import Host
from .process import run

SECRET = "the-words-of-the-secret-file"
INSTANCE = "tenants/acme/instances/web-1.toml"
BOOK = (ROOT / "docs/how-to/configure-hosts.md").read_text()


def book_block(word):
    """The one block of code of the how-to that holds this word."""
    (block,) = [block for block in re.findall(r"(?ms)^ *```\w*\n(.*?)^ *```$", BOOK) if word in block]
    return textwrap.dedent(block)


class Configured(EndToEnd):
    PROFILE = ""  # of the host, unless a test says otherwise

    def start(self, mode="enforce", profile=None, size="300m", deadline="60s", confirm="60s", by_the_book=False):
        site = self.site()
        (bmc,) = site.start_ipmi(1)
        self.machine = site.ipmi_machine("m1", bmc, power="on", enforcement="observe", extra='labels = { rack = "b1" }')
        key = self.folder / "hosts-key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "controller", "-f", key])
        self.host = Host(self.folder / "host", 1, key.with_suffix(".pub").read_text(), size).start()
        self.addCleanup(self.host.stop)
        if by_the_book:
            self.let_in_by_the_book(key.with_suffix(".pub").read_text())
        site.adopted_instance("acme", "web-1", "m1")
        text = site.registry.read(INSTANCE)
        before, _ = text.split("[adopt]")
        top, rest = before.split("\n[", 1) if "\n[" in before else (before, None)
        self.write_instance = lambda mode, key=self.host.host_key: site.registry.write(
            INSTANCE, top + f'\nconfiguration = "{mode}"\nprofiles = ["app"]\n' + (f"\n[{rest}" if rest else "") +
            f'\n[adopt]\nhost_key = "{key}"\naddress = "{self.host.address}"\n')
        self.write_instance(mode)
        site.registry.write("profiles/app.toml", profile or self.PROFILE)
        site.registry.write("files/app.conf", "listen = 80\n")
        site.registry.publish("One adopted host")
        controller = site.new_controller()
        controller.add_secret("tenant/acme/app-token", "", SECRET, [self.host.address])
        controller.configuration.write_text(controller.configuration.read_text() + textwrap.dedent(f"""
            [hosts]
            key = "{key}"
            interval = "5s"
            deadline = "{deadline}"
            confirm = "{confirm}"
            """))
        site.controller = controller.start()
        return controller

    def document(self):
        return self.site().status.document(INSTANCE) or {}

    def condition(self, name):
        return self.document().get("condition", {}).get(name, {})

    def wait_for(self, reason, name="configured", seconds=90):
        try:
            self.wait(lambda: self.condition(name).get("reason") == reason, f"{name} is {reason}", seconds)
        except AssertionError:
            print(json.dumps(self.live(), indent=1), self.host.child.tail())
            raise

    def passes(self):
        return self.site().controller.metric("nimbus_host_passes_total")

    def wait_passes(self, more):
        enough = self.passes() + more
        self.wait(lambda: self.passes() >= enough, f"the host was looked at {more} times more")

    def let_in_by_the_book(self, public_key):
        """The account as the how-to has it made, in place of the test's own."""
        self.host.sh("set -e; userdel -r nimbus 2>/dev/null; rm /etc/sudoers.d/nimbus-access; cd /tmp; "
                     f"cat >hosts-key.pub <<'END'\n{public_key}END\n" + book_block("useradd"))
        self.assertEqual(self.host.sh("visudo -c >/dev/null && echo fine"), "fine\n")

    def judge(self, *answers):
        """Whole answers about a host by the API's description, judged by validators that are not ours."""
        path = "/v1/instances/{tenant}/{instance}/configuration"
        lines = [{"method": "GET", "path": path, "status": 200, "content_type": "application/json", "body": json.dumps(answer)}
                 for answer in answers]
        judged = run([ROOT / ".venv/bin/python3", ROOT / "tests/peers/openapi/validate.py", ROOT / "docs/reference/openapi.json",
                      "--some"], check=False, input="".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)

    def live(self):
        return json.loads(self.site().controller.get("/v1/instances/acme/web-1/configuration")[1])
