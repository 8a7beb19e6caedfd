"""nimbusd as a process: its configuration, its life, its metrics."""
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import urllib.error
import urllib.request

from .process import Child, run, tail
from .wait import wait_until

BRANCH = "main"
WEBHOOK_SECRET = "hook-secret-of-the-test"

CONFIGURATION = """\
provider = "{provider}"
data = "{data}"
secrets = "{secrets}"

[registry]
url = "{url}"
branch = "{branch}"
poll = "{poll}"
ssh_key = "{key}"
known_hosts = "{known_hosts}"

[status]
publish = "{publish}"
{status}
[http]
listen = "127.0.0.1:0"

[control]
holds = "{holds}"

[[webhook]]
name = "github"
kind = "github"
secret_files = ["{webhook_secret}"]

[reconcile]
observe = "{observe}"
retry_most = "2s"
workers = 4

[power]
settle = "2s"
soft_off_deadline = "4s"

[log]
level = "debug"
"""


class Nimbusd:
    """One controller with its own data folder.

    start() waits until it is ready; kill() is kill -9; stop() is SIGTERM. The
    folder stays, so start() again is a restart.
    """

    def __init__(self, program, folder, forge, provider="lab", poll="1s", publish="200ms", observe="500ms", outlive=False,
                 status="", url=None):
        self.program = pathlib.Path(program)
        self.folder = pathlib.Path(folder).resolve()
        self.data = self.folder / "data"
        self.secrets = self.folder / "secrets"
        self.configuration = self.folder / "nimbusd.toml"
        self.log = self.folder / "nimbusd.log"
        self.holds = self.folder / "etc" / "holds"
        self.socket = self.data / "control.sock"
        self.child = None
        self.outlive = outlive
        (self.secrets / "bmc").mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        hook = self.folder / "webhook-secret"
        self._private(hook, WEBHOOK_SECRET + "\n")
        self.configuration.write_text(CONFIGURATION.format(
            provider=provider, data=self.data, secrets=self.secrets, url=url or forge.url, status=status, branch=BRANCH, poll=poll, key=forge.key,
            known_hosts=forge.known_hosts, publish=publish, observe=observe, webhook_secret=hook, holds=self.holds))

    @staticmethod
    def _private(path, text):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    def add_secret(self, name, username, password, allow):
        """secrets/<name>.toml, bound to the addresses that it may be sent to."""
        addresses = ", ".join(json.dumps(a) for a in allow)
        self._private(self.secrets / f"{name}.toml", f"username = {json.dumps(username)}\n"
                      f"password = {json.dumps(password)}\nallow = [{addresses}]\n")

    # --- life

    def launch(self, environment=None):
        """Starts it and does not wait. environment: more of it."""
        (self.data / "http.address").unlink(missing_ok=True)
        self.child = Child("nimbusd", [self.program, "--config", self.configuration], self.log, outlive=self.outlive,
                           env={**os.environ, **environment} if environment else None)
        return self

    def start(self, seconds=30):
        self.launch()
        self.wait_ready(seconds)
        return self

    def wait_ready(self, seconds=30, ready_too=False):
        def ready():
            if not self.child.alive():
                raise AssertionError(f"nimbusd ended with {self.child.process.returncode}\n{self.tail()}")
            return self.ready() if ready_too else self.healthy()
        wait_until(ready, seconds, "nimbusd is ready", self.tail)

    def alive(self):
        return self.child is not None and self.child.alive()

    def kill(self):
        self.child.kill()

    def pause(self):
        self.child.signal(signal.SIGSTOP)

    def resume(self):
        self.child.signal(signal.SIGCONT)

    def terminate(self, seconds=30):
        """SIGTERM; returns the exit status."""
        self.child.signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def stop(self):
        if self.child is not None:
            self.child.stop()
            self.child = None

    # --- faces

    def address(self):
        """host:port of its HTTP listener, or None while it has none."""
        try:
            return (self.data / "http.address").read_text().strip() or None
        except OSError:
            return None

    def get(self, path):
        """Status and body of a GET; (0, "") while nobody answers."""
        return self._http(urllib.request.Request(f"http://{self.address()}{path}")) if self.address() else (0, "")

    def post(self, path, body, headers):
        return self._http(urllib.request.Request(f"http://{self.address()}{path}", data=body, headers=headers,
                                                 method="POST"))

    def curl(self, path, *options):
        """Status, headers in lower case and body; through the control socket, by curl."""
        result = run(["curl", "--silent", "--show-error", "--max-time", "20", "--unix-socket", self.socket, "--include",
                      "--http1.1", *options, f"http://nimbusd{path}"])
        head, _, body = result.stdout.partition("\n\n")
        lines = head.splitlines()
        headers = dict(line.split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), {k.lower(): v for k, v in headers.items()}, body

    @staticmethod
    def _http(request):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, OSError):
            return 0, ""

    def healthy(self):
        return self.get("/healthz")[0] == 200

    def ready(self):
        return self.get("/readyz")[0] == 200

    def metrics(self):
        """All samples: {'name{labels}': value}."""
        status, text = self.get("/metrics")
        samples = {}
        if status == 200:
            for line in text.splitlines():
                found = re.fullmatch(r"([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)", line)
                if found:
                    samples[found.group(1)] = float(found.group(2))
        return samples

    def metric(self, name):
        """The sum of all samples of one name, whatever their labels; 0 if there is none."""
        return sum(value for key, value in self.metrics().items() if key.split("{", 1)[0] == name)

    def passes(self):
        """How often it looked at machines so far."""
        return self.metric("nimbus_reconcile_total")

    def push_webhook(self, commit, branch=BRANCH, secret=WEBHOOK_SECRET, delivery="1"):
        """What GitHub sends after a push; returns the HTTP status."""
        body = json.dumps({"ref": f"refs/heads/{branch}", "after": commit, "repository": {"full_name": "acme/metal"}}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self.post("/webhook/github", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}"})[0]

    def tail(self):
        return f"--- nimbusd's log (end)\n{tail(self.log, 12000)}"


def nimbusctl(program, *arguments, check=True, **options):
    return run([program, *arguments], check=check, **options)
