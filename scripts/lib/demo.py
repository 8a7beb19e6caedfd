#!/usr/bin/env python3
"""The demo's story; started by scripts/demo. Uses the end-to-end tests' harness."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from harness.controller import Nimbusd  # noqa: E402
from harness.ipmi import ipmi_sim  # noqa: E402
from harness.ports import free_tcp_port  # noqa: E402
from harness.process import Child  # noqa: E402
from harness.redfish import RedfishFleet  # noqa: E402
from harness.process import run, start_time  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.wait import wait_until  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
PROVIDER = "lab"
EXAMPLE = ROOT / "examples" / "registry-repo"
BERLIN = "berlin-1"  # a provider of the example


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Story:
    def __init__(self, folder, programs, keep):
        self.folder, self.programs, self.keep = folder, programs, keep
        self.number = 0
        self.site = None
        self.berlin = None  # the site of the example registry
        self.children = []

    # --- telling

    def chapter(self, text):
        self.number += 1
        print("\n" + paint("1", f"{self.number}. {text}"), flush=True)

    def say(self, text):
        print(f"   {text}", flush=True)

    def show(self, text):
        for line in text.rstrip("\n").split("\n"):
            print(paint("2", f"   | {line}"), flush=True)

    def command(self, shown, *arguments, check=True, **options):
        """Runs a command and shows it with its output, as a person would see it."""
        print(paint("36", f"   $ {shown}"), flush=True)
        result = run(arguments, check=check, **options)
        if output := (result.stdout + result.stderr).rstrip():
            self.show(output)
        return result

    def wait(self, condition, what, seconds=60):
        started = time.monotonic()
        wait_until(condition, seconds, what, self.site.diagnosis)
        self.say(paint("32", f"ok, after {time.monotonic() - started:.1f} s: {what}"))

    def git(self, *arguments):
        self.command("git " + " ".join(a if " " not in a else f"'{a}'" for a in arguments),
                     "git", "-C", self.site.registry.folder, *arguments, env=self.site.registry.git_environment)

    # --- what happens

    def run(self):
        self.set_up()
        self.push_a_change()
        self.read_the_status()
        self.switch_off_by_hand()
        self.break_a_file()
        self.simulate_the_example()
        self.change_the_example()
        self.explain_a_failure()

    def set_up(self):
        self.chapter("A registry behind git over ssh, and three machines behind BMCs")
        site = self.site = Site(self.folder, self.programs, PROVIDER, outlive=self.keep)
        self.say(f"forge:   sshd on 127.0.0.1:{site.forge.port}, one bare repository")
        self.m1, self.m2 = site.start_ipmi(2, per_process=2)
        (self.m3,) = site.start_redfish(power_delay=None)
        self.say(f"m1, m2:  OpenIPMI's ipmi_sim at {self.m1.address} and {self.m2.address}")
        self.say(f"m3:      OpenStack's sushy-tools at {self.m3.url}")
        site.ipmi_machine("m1", self.m1, power="off")
        site.ipmi_machine("m2", self.m2, power="on", enforcement="observe")
        site.redfish_machine("m3", self.m3, power="off")
        commit = site.registry.publish("Three machines, all off")
        self.show(site.registry.read(site.registry.machine_path("m1")))
        site.start_controller(poll="5s", publish="1s", observe="1s")
        self.say(f"nimbusd: http://{site.controller.address()}/metrics")
        self.wait(lambda: site.published(commit) and site.reconciled("m1", "off") and site.reconciled("m3", "off"),
                  "nimbusd has looked at the machines and published their status")

    def push_a_change(self):
        site = self.site
        self.chapter("A person switches m1 and m3 on: edit, commit, push")
        for name in ("m1", "m3"):
            site.registry.edit(site.registry.machine_path(name), 'power = "off"', 'power = "on"')
        self.git("diff", "--unified=0", "--", "providers")
        self.git("commit", "--quiet", "--all", "--message", "Switch m1 and m3 on")
        self.git("push", "--quiet", "origin", "HEAD:main")
        self.commit = site.forge.head()
        status = site.controller.push_webhook(self.commit)
        self.say(f"the forge sends its webhook, signed; nimbusd answers {status}")
        self.wait(lambda: self.m1.power() == "on", "m1 is on, says ipmitool")
        self.say("m3's emulator takes up to 11 seconds for a power change, as real machines do")
        self.wait(lambda: self.m3.power() == "on", "m3 is on, says curl")
        self.ask_independently()

    def ask_independently(self):
        self.say("asked without Nimbus:")
        self.command(f"ipmitool -I lanplus -C 3 -H {self.m1.host} -p {self.m1.port} -U admin -P … chassis power status",
                     "ipmitool", "-I", "lanplus", "-C", "3", "-H", self.m1.host, "-p", self.m1.port, "-U", self.m1.user,
                     "-P", self.m1.password, "chassis", "power", "status")
        state = json.loads(self.m3.curl(f"/redfish/v1/Systems/{self.m3.uuid}"))["PowerState"]
        print(paint("36", f"   $ curl --cacert … --user admin:… {self.m3.url}/redfish/v1/Systems/{self.m3.uuid[:8]}…"))
        self.show(f'"PowerState": "{state}"')

    def read_the_status(self):
        site = self.site
        self.chapter("What happened came back as a commit")
        self.wait(lambda: site.reconciled("m1", "on") and site.reconciled("m3", "on"), "status says that m1 and m3 are on")
        repository = f"--git-dir={site.forge.repository}"
        branch = f"nimbus/status/{PROVIDER}"
        self.command(f"git log --oneline {branch}", "git", repository, "log", "--oneline", "-5", branch)
        path = site.registry.machine_path("m1")
        self.command(f"git show {branch}:{path}", "git", repository, "show", f"{branch}:{path}")
        self.command(f"nimbusctl status {PROVIDER}", self.programs / "nimbusctl", "status", PROVIDER, "-C",
                     site.forge.repository)
        self.say("m2 is off although its file wants it on: it has enforcement = \"observe\", so Nimbus only reports.")

    def switch_off_by_hand(self):
        self.chapter("Somebody switches m1 off behind Nimbus' back")
        self.m1.switch("off")
        self.wait(lambda: self.m1.power() == "on", "m1 is on again, says ipmitool")
        self.say(f"writes that reached m1: {', '.join(self.m1.writes())}; to m2: {', '.join(self.m2.writes()) or 'none'}")

    def break_a_file(self):
        site = self.site
        self.chapter("Somebody pushes a typo")
        path = site.registry.machine_path("m1")
        site.registry.edit(path, 'power = "on"', 'powr = "off"')
        self.command("nimbusctl validate", self.programs / "nimbusctl", "validate", site.registry.folder, check=False)
        commit = site.registry.publish("Switch m1 off, mistyped")
        site.controller.push_webhook(commit, delivery="2")
        self.wait(lambda: site.published(commit) and site.status.problems(), "status names the problem")
        for problem in site.status.problems():
            self.show(f"{problem['file']}:{problem['line']}:{problem['column']}: {problem['message']}")
        if self.m1.power() != "on":
            raise AssertionError("m1 should have stayed as it was")
        self.say(paint("32", "ok: m1 stays as it was, says ipmitool; the other machines are looked after as before"))

    # --- the example registry

    def ctl(self, *arguments, check=True):
        shown = " ".join(["nimbusctl", *(str(a) for a in arguments)])
        return self.command(shown, self.programs / "nimbusctl", *arguments, "-C", self.berlin.registry.folder,
                            "--server", f"unix:{self.berlin.controller.socket}", check=check)

    def simulate_the_example(self):
        self.chapter("The example registry, on a fleet of simulated machines")
        site = self.berlin = Site(self.folder / "berlin", self.programs, BERLIN, outlive=self.keep)
        shutil.copytree(EXAMPLE, site.registry.folder, dirs_exist_ok=True)
        fleet = self.folder / "fleet"
        self.control = self.folder / "sim.sock"
        self.command(f"nimbusctl export --fleet fleet --provider {BERLIN}", self.programs / "nimbusctl", "export", "--fleet", fleet,
                     "--provider", BERLIN, "--first", "127.77.0.1", "--redfish-port", free_tcp_port(), "--ipmi-port",
                     free_tcp_port(), "--control", f"unix:{self.control}", "--quiet", "-C", site.registry.folder)
        self.children.append(Child("nimbus-sim", [self.programs / "nimbus-sim", "serve", fleet / "fleet.toml"],
                                   self.folder / "nimbus-sim.log", outlive=self.keep))
        wait_until(self.control.exists, 20, "nimbus-sim serves the fleet", self.children[-1].tail)
        self.machines = {each["name"]: each for each in tomllib.loads((fleet / "fleet.toml").read_text())["machine"]}
        shutil.copytree(fleet / "registry", site.registry.folder, dirs_exist_ok=True)
        commit = site.registry.publish("The example, with the addresses of the simulated fleet")
        site.controller = site._own(Nimbusd(self.programs / "nimbusd", self.folder / "berlin" / "controller", site.forge, BERLIN,
                                            poll="30s", publish="1s", observe="1s", outlive=self.keep))
        # The simulated machines take about two seconds to switch on; over IPMI nothing shows that they are at it.
        configuration = site.controller.configuration
        configuration.write_text(configuration.read_text().replace('settle = "2s"', 'settle = "10s"'))
        shutil.copytree(fleet / "secrets", site.controller.secrets, dirs_exist_ok=True)
        site.controller.start()
        wait_until(lambda: site.published(commit), 60, "the example is published", site.diagnosis)
        # One of the example's machines is to be on; every machine has to be looked at.
        wait_until(lambda: len([p for p in site.status.paths() if "/machines/" in p]) == 7, 60,
                   "all machines have a status", site.diagnosis)
        self.ctl("status", "--live")
        self.ctl("machine", "list")

    def ask_redfish(self, machine, show=True):
        """PowerState, asked with curl."""
        url = f"https://{self.machines[machine]['redfish']}/redfish/v1/Systems/1"
        answer = run(["curl", "--silent", "--insecure", "--user", "admin:password", url]).stdout
        state = json.loads(answer)["PowerState"]
        if show:
            print(paint("36", f"   $ curl --insecure --user admin:… {url} | jq .PowerState"))
            self.show(f'"{state}"')
        return state.lower()

    def ask_ipmi(self, machine, show=True):
        """The power state, asked with ipmitool."""
        host, port = self.machines[machine]["ipmi"].split(":")
        answer = run(["ipmitool", "-I", "lanplus", "-C", "17", "-H", host, "-p", port, "-U", "admin", "-P", "password",
                      "chassis", "power", "status"]).stdout
        if show:
            print(paint("36", f"   $ ipmitool -I lanplus -C 17 -H {host} -p {port} -U admin -P … chassis power status"))
            self.show(answer)
        return answer.split()[-1]

    def switch_on(self, path):
        file = self.berlin.registry.folder / path
        file.write_text('power = "on"\nenforcement = "enforce"\n' + "".join(
            line for line in file.read_text().splitlines(keepends=True)
            if not line.startswith(("power =", "enforcement ="))))

    def change_the_example(self):
        site = self.berlin
        self.chapter("A change, planned as a pull request would show it: one machine behind Redfish, one behind IPMI")
        self.ask_redfish("m011")
        self.ask_ipmi("m031")
        path = f"providers/{BERLIN}/machines/b1/m011.toml"
        for each in (path, f"providers/{BERLIN}/machines/b3/m031.toml"):
            self.switch_on(each)
        site.registry.git("fetch", "--quiet", "origin")  # what was observed: the plan uses it
        self.ctl("plan", check=False)
        commit = site.registry.publish("Switch m011 and m031 on")
        pushed = time.monotonic()
        self.say(f"pushed; the forge's webhook is answered with {site.controller.push_webhook(commit, delivery='10')}")
        wait_until(lambda: self.ask_ipmi("m031", show=False) == "on", 60, "m031 is switched on", site.diagnosis)
        self.say(f"m031 is on {time.monotonic() - pushed:.1f} s after the webhook, says ipmitool")
        wait_until(lambda: self.ask_redfish("m011", show=False) == "on", 60, "m011 is switched on", site.diagnosis)
        self.say(f"m011 is on {time.monotonic() - pushed:.1f} s after the webhook, says curl; it took its time to start")
        self.ask_redfish("m011")
        self.ask_ipmi("m031")
        wait_until(lambda: (site.status.document(path) or {}).get("power") == "on", 60, "status says that m011 is on", site.diagnosis)
        self.say("the status commit:")
        repository = f"--git-dir={site.forge.repository}"
        branch = f"nimbus/status/{BERLIN}"
        self.command(f"git log -1 -p {branch} -- {path}", "git", repository, "log", "-1", "-p", "--unified=0", branch, "--", path)

    def explain_a_failure(self):
        site = self.berlin
        self.chapter("A BMC that answers nothing but errors")
        fault = {"kind": "status", "status": 503, "machines": ["m012"], "path": "*"}
        self.command(f"curl -d '{json.dumps(fault)}' …/faults", "curl", "--silent", "--unix-socket", self.control, "-d",
                     json.dumps(fault), "http://sim/faults")

        def in_trouble():
            machine = json.loads(site.controller.get("/v1/machines/m012")[1] or "{}")
            return machine.get("waiting_for") and machine.get("state", {}).get("health") != "ok"
        wait_until(in_trouble, 60, "nimbusd has noticed", site.diagnosis)
        self.ctl("explain", "machine", "m012")
        self.say("the others go on:")
        self.ctl("machine", "list", "--health", "ok", "-o", "name")
        self.say("and every write to a device is on record:")
        self.command("nimbusctl audit list --limit 4", self.programs / "nimbusctl", "audit", "list", "--folder",
                     site.controller.data / "audit", "--limit", "4")
        self.command("nimbusctl audit verify", self.programs / "nimbusctl", "audit", "verify", "--folder",
                     site.controller.data / "audit", "--provider", BERLIN, "-C", site.forge.repository)

    # --- the end

    def leave_running(self):
        site = self.site
        records = [{"pid": c.pid, "since": start_time(c.pid)} for c in
                   (site.forge.sshd, site.controller.child, self.berlin.forge.sshd, self.berlin.controller.child,
                    *self.children)]
        (self.folder / "processes.json").write_text(json.dumps(records))
        environment = self.folder / "environment"
        environment.write_text(f"export GIT_SSH_COMMAND='{site.registry.git_environment['GIT_SSH_COMMAND']}'\n")
        self.chapter("Left running")
        self.show(f"""\
. {environment}                    # git's key for the demo's forge
cd {site.registry.folder}          # edit providers/{PROVIDER}/machines/*.toml, commit, git push origin HEAD:main
git fetch origin && git log -p origin/nimbus/status/{PROVIDER}
curl http://{site.controller.address()}/metrics
ipmitool -I lanplus -C 3 -H {self.m1.host} -p {self.m1.port} -U {self.m1.user} -P {self.m1.password} chassis power off
nimbusctl machine list --server unix:{self.berlin.controller.socket}    # the example registry's machines
curl --unix-socket {self.control} http://sim/machines           # the truth about them
tail -f {site.controller.log}
{ROOT}/scripts/demo --stop {self.folder}     # ends it all and removes the folder""")


def stop(folder):
    """Ends what --keep left running: recorded processes only, while they are still the same."""
    folder = pathlib.Path(folder).resolve()
    records = folder / "processes.json"
    if not records.exists():
        sys.exit(f"demo: nothing was left running in {folder}")
    for record in json.loads(records.read_text()):
        if start_time(record["pid"]) == record["since"]:
            os.kill(record["pid"], signal.SIGTERM)
    for record in json.loads(records.read_text()):
        wait_until(lambda r=record: start_time(r["pid"]) != r["since"], 30, f"process {record['pid']} ended")
    ipmi_sim.Fleet(folder / "ipmi").stop()
    RedfishFleet(folder / "redfish").stop()
    shutil.rmtree(folder)
    print(f"demo: ended, {folder} removed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stop")
    options = parser.parse_args()
    if options.stop:
        return stop(options.stop)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nimbus-demo-"))
    story = Story(folder, options.programs.resolve(), options.keep)
    started, done = time.monotonic(), False
    try:
        story.run()
        done = True
        if options.keep:
            story.leave_running()
    except (AssertionError, RuntimeError, subprocess.SubprocessError) as problem:
        print(f"\nThe demo did not go as told: {problem}", file=sys.stderr)
        return 1
    finally:
        if not (done and options.keep):
            for child in story.children:
                child.stop()
            for site in (story.berlin, story.site):
                if site is not None:
                    site.stop()
            shutil.rmtree(folder, ignore_errors=True)
    print(paint("1;32", f"\nAll went as told, in {time.monotonic() - started:.0f} s."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
