#!/usr/bin/env python3
"""A check of hosts that are as declared, over kept connections: ours, the same probe by `ssh`, and Ansible, in one run.

    tests/bench/host_check.py build/bench [--hosts 50] [--threads 10] [--rounds 10] [--no-ansible] [--no-growth]

Starts an sshd for each host, on loopback addresses, and declares files, folders, links, packages, groups and users that are
there already; nothing is changed but for a temporary folder. Ansible (Debian's ansible-core, with python3-apt) gets the same as a
playbook in check mode, without facts, with pipelining, as many forks as we have threads, and the connections that `ssh` keeps.
Units and kernel parameters are left out: there may be no systemd, and ansible-core has no module for the latter.

CPU is the client's: what is counted for `ssh` and Ansible has the processes that keep their connections in it. The hosts share
the processors with the clients, so wall time has their work in it. As root the login shell is a plain /bin/sh, in a mount
namespace of each sshd. Ends with 2 if a goal is missed.
"""
import argparse
import grp
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PORT = 22622
MOST_CPU_OF_SSH, MOST_WALL_OF_SSH, LEAST_OF_ANSIBLE = 1.0, 1.3, 20
USER = pwd.getpwuid(os.getuid())
GROUP = grp.getgrgid(USER.pw_gid).gr_name


def address(number):
    return f"127.6.{number // 254}.{number % 254 + 1}"


def listens(where):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(where) == 0


def until(true, child):
    deadline = time.monotonic() + 120
    while not true():
        if child.poll() is not None or time.monotonic() > deadline:
            sys.exit("does not start: " + " ".join(map(str, child.args)))
        time.sleep(0.02)


class Hosts:
    """An sshd each; for the first of them a connection that `ssh` keeps."""

    def __init__(self, folder):
        self.folder, self.servers, self.keepers = folder, [], []
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.host_key = " ".join((folder / "host.pub").read_text().split()[:2])
        (folder / "known").write_text(f"bench {self.host_key}\n")
        lines = pathlib.Path("/etc/passwd").read_text().splitlines()
        (folder / "passwd").write_text("".join(
            (line.rpartition(":")[0] + ":/bin/sh" if line.startswith(USER.pw_name + ":") else line) + "\n" for line in lines))
        (folder / "control").mkdir()
        (folder / "sshd").mkdir()
        (folder / "sshd.conf").write_text("\n".join([
            f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/client.pub", "PidFile none",
            "AuthenticationMethods publickey", "StrictModes no", "UsePAM no", "PrintMotd no", "PrintLastLog no", "UseDNS no",
            "LogLevel FATAL"]) + "\n")

    def start(self, count):
        program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        as_sh = []
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists
            as_sh = ["unshare", "--mount", "sh", "-c", f"mount --bind '{self.folder}/passwd' /etc/passwd && exec \"$@\"", "sh"]
        for number in range(len(self.servers), count):
            self.servers.append(subprocess.Popen([*as_sh, program, "-D", "-e", "-f", self.folder / "sshd.conf", "-o",
                                                  f"ListenAddress={address(number)}:{PORT}"]))
        for number, child in enumerate(self.servers):
            until(lambda: listens((address(number), PORT)), child)

    def keep(self, count):
        for number in range(len(self.keepers), count):
            self.keepers.append(subprocess.Popen([
                "ssh", "-F", "none", "-M", "-N", "-S", self.folder / "control" / address(number), "-i", self.folder / "client",
                "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "HostKeyAlias=bench", "-o", "StrictHostKeyChecking=yes",
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-p", str(PORT), "-l", USER.pw_name, address(number)]))
        for number, child in enumerate(self.keepers):
            until((self.folder / "control" / address(number)).exists, child)

    def rows(self, count):
        pids = [keeper.pid for keeper in self.keepers] + [0] * count
        return "".join(f"{address(number)}:{PORT}\t{self.host_key}\t{pids[number]}\n" for number in range(count))

    def keepers_cpu(self):
        return sum(int(pathlib.Path(f"/proc/{keeper.pid}/schedstat").read_text().split()[0]) for keeper in self.keepers) / 1e9

    def stop(self):
        for child in self.keepers + self.servers:
            child.terminate()
        for child in self.keepers + self.servers:
            child.wait()


class Profile:
    """`count` resources that are as declared; more than 40 are more files."""

    def __init__(self, folder, count):
        self.directories = [folder / "etc" / f"directory-{n}" for n in range(6)]
        self.links = [folder / "etc" / f"link-{n}" for n in range(6)]
        self.packages = ["bash", "coreutils", "grep", "openssh-server", "sed", "tar"]
        self.users = [user for user in pwd.getpwall() if user.pw_name != USER.pw_name][:5]
        self.groups = [group.gr_name for group in grp.getgrall()][:5]
        self.files = []
        for path in self.directories:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        (folder / "source").mkdir(exist_ok=True)
        for number, path in enumerate(self.links):
            if not path.is_symlink():
                path.symlink_to(self.directories[number])
        for number in range(count - 28):
            path, source = folder / "etc" / f"directory-{number % 6}" / f"file-{number}.conf", folder / "source" / f"{number}"
            for place in (path, source):
                place.write_text("".join(f"setting-{line} = {number}\n" for line in range(50)))
                place.chmod(0o644)
            self.files.append((path, source))
        self.rows = folder / f"resources-{count}"
        self.rows.write_text("".join("\t".join(map(str, row)) + "\n" for row in [
            *(("directory", path, USER.pw_name, GROUP, "0755") for path in self.directories),
            *(("link", path, self.directories[number]) for number, path in enumerate(self.links)),
            *(("file", path, USER.pw_name, GROUP, "0644", source) for path, source in self.files),
            *(("package", name) for name in self.packages), *(("group", name) for name in self.groups),
            *(("user", user.pw_name, user.pw_dir, user.pw_shell) for user in self.users)]))

    def playbook(self):
        def each(module, rows, **fields):
            return {f"ansible.builtin.{module}": {**{key: "{{ item." + key + " }}" for key in rows[0]}, **fields}, "loop": rows}
        owned = {"owner": USER.pw_name, "group": GROUP}
        return [{"hosts": "all", "gather_facts": False, "tasks": [
            each("file", [{"path": str(path)} for path in self.directories], state="directory", mode="0755", **owned),
            each("copy", [{"dest": str(path), "src": str(source)} for path, source in self.files], mode="0644", **owned),
            each("file", [{"path": str(path), "src": str(self.directories[number])} for number, path in enumerate(self.links)],
                 state="link"),
            {"ansible.builtin.apt": {"name": self.packages, "state": "present"}},
            each("group", [{"name": name} for name in self.groups], state="present"),
            each("user", [{"name": user.pw_name, "home": user.pw_dir, "shell": user.pw_shell} for user in self.users],
                 state="present")]}]


class Bench:
    def __init__(self, given, folder):
        self.given, self.folder, self.hosts = given, folder, Hosts(folder)

    def ours(self, profile, count, with_ssh=False):
        """Name -> wall and CPU of a round."""
        program = self.given.build / "tests" / "bench" / "bench_host_check"
        control = str(self.folder / "control") if with_ssh else ""
        done = subprocess.run([program, profile.rows, self.folder / "client", USER.pw_name, control, str(self.given.threads),
                               str(self.given.rounds)], input=self.hosts.rows(count), stdout=subprocess.PIPE, text=True, check=True)
        return {name: (float(wall), float(cpu)) for name, wall, cpu in map(str.split, done.stdout.splitlines())}

    def ansible(self, profile, count):
        inventory, playbook = self.folder / "inventory", self.folder / "playbook.json"
        inventory.write_text("".join(f"{address(number)} ansible_port={PORT} ansible_user={USER.pw_name} "
                                     f"ansible_python_interpreter=/usr/bin/python3\n" for number in range(count)))
        playbook.write_text(json.dumps(profile.playbook()))
        # It has no key: without the kept connections it gets nowhere.
        environment = {**os.environ, "HOME": str(self.folder), "ANSIBLE_PIPELINING": "True", "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_FORKS": str(self.given.threads), "ANSIBLE_DISPLAY_OK_HOSTS": "False",
                       "ANSIBLE_SSH_ARGS": f"-F none -o ControlMaster=auto -o ControlPersist=3600 -o ControlPath={self.folder}/control/%h"}
        before, kept, began = resource.getrusage(resource.RUSAGE_CHILDREN), self.hosts.keepers_cpu(), time.monotonic()
        done = subprocess.run(["ansible-playbook", "--check", "-i", inventory, playbook], env=environment, capture_output=True,
                              text=True, check=False)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        fine = re.findall(r"ok=6 +changed=0 +unreachable=0 +failed=0 +skipped=0", done.stdout)
        if done.returncode or len(fine) != count:
            sys.exit("Ansible finds something else than we do: the figures mean nothing\n" + done.stdout[-2000:] + done.stderr[-2000:])
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + self.hosts.keepers_cpu() - kept
        return wall, cpu

    def against_ssh(self, profile):
        count = self.given.hosts
        figures = self.ours(profile, count, with_ssh=True)
        for name, text in (("first", "ours, with login"), ("kept", "ours"), ("ssh", "the same probe by ssh")):
            wall, cpu = figures[name]
            print(f"{text:24} wall {wall * 1e3:8.1f} ms   client CPU {cpu * 1e3:8.2f} ms, {cpu / count * 1e6:6.0f} us a host")
        wall, cpu = (figures["kept"][at] / figures["ssh"][at] for at in (0, 1))
        print(f"ours / ssh: wall {wall:.2f} (goal: at most {MOST_WALL_OF_SSH}), client CPU {cpu:.2f} (goal: at most "
              f"{MOST_CPU_OF_SSH})", flush=True)
        return wall <= MOST_WALL_OF_SSH and cpu <= MOST_CPU_OF_SSH

    def against_ansible(self, profile):
        """Ours before and after it, the worse of the two counts."""
        count = self.given.hosts
        before, theirs, after = self.ours(profile, count), self.ansible(profile, count), self.ours(profile, count)
        ours = [max(before["kept"][at], after["kept"][at]) for at in (0, 1)]
        wall, cpu = (theirs[at] / ours[at] for at in (0, 1))
        print(f"ansible-playbook --check wall {theirs[0]:7.1f} s   client CPU {theirs[1]:7.2f} s, "
              f"{theirs[1] / count * 1e6:6.0f} us a host")
        print(f"Ansible / ours: wall {wall:.0f}, client CPU {cpu:.0f} (goal: at least {LEAST_OF_ANSIBLE})", flush=True)
        return wall >= LEAST_OF_ANSIBLE and cpu >= LEAST_OF_ANSIBLE

    def growth(self):
        for count, resources in ((10, 40), (50, 40), (200, 40), (10, 400), (10, 1000)):
            self.hosts.start(count)
            profile = Profile(self.folder, resources)
            wall, cpu = self.ours(profile, count)["kept"]
            script = pathlib.Path(f"{profile.rows}.probe").stat().st_size
            print(f"{count:4} hosts, {resources:5} resources, probe of {script:7} bytes: wall {wall / count * 1e3:6.2f} ms, client CPU "
                  f"{cpu / count * 1e6:6.0f} us a host", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--threads", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--no-ansible", action="store_true")
    parser.add_argument("--no-growth", action="store_true")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are ended then too
    with tempfile.TemporaryDirectory(prefix="nimbus-bench-host-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        bench = Bench(given, folder)
        try:
            bench.hosts.start(given.hosts)
            bench.hosts.keep(given.hosts)
            profile = Profile(folder, 40)
            print(f"{given.hosts} hosts, 40 resources, {given.threads} at a time, medians of {given.rounds} rounds, load average "
                  f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
            good = bench.against_ssh(profile)
            if not given.no_ansible and shutil.which("ansible-playbook"):
                good = bench.against_ansible(profile) and good
            elif not given.no_ansible:
                print("ansible-core is not installed: not compared with it")
                good = False
            if not given.no_growth:
                bench.growth()
        finally:
            bench.hosts.stop()
    return 0 if good else 2


if __name__ == "__main__":
    sys.exit(main())
