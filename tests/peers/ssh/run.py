#!/usr/bin/env python3
"""Runs the SSH driver's peer tests: run.py TEST_PROGRAM [doctest options]

Starts OpenSSH servers on loopback that differ in keys and in what their sudo says, and peers
that are no good SSH servers; tells the program where they are (environment), and ends them.
As root the servers have an account of their own, in a mount namespace.
"""
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import hostile  # noqa: E402

ADDRESS = hostile.ADDRESS
ACCOUNT = "nimbus-peer"
SUDO = {
    "yes": '#!/bin/sh\n[ "$1" = -n ] || exit 64\nshift\nNIMBUS_SUDO=1 exec "$@"\n',
    "no": '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n',
}


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((ADDRESS, port)) == 0


class Servers:
    def __init__(self, folder):
        self.folder = folder
        self.children = []
        self.as_root = os.geteuid() == 0
        self.user = ACCOUNT if self.as_root else getpass.getuser()
        if self.as_root:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists
        folder.chmod(0o755)
        (folder / "home").mkdir()
        if self.as_root:
            os.chown(folder / "home", 65534, 65534)
        for name, text in SUDO.items():
            (folder / f"sudo-{name}").mkdir()
            program = folder / f"sudo-{name}" / "sudo"
            program.write_text(text)
            program.chmod(0o755)
        for key, kind in (("host", "ed25519"), ("other", "ed25519"), ("host_rsa", "rsa"), ("host_ecdsa", "ecdsa"),
                          ("client", "ed25519"), ("stranger", "ed25519"), ("certified", "ed25519"), ("ca", "ed25519"),
                          ("client_rsa", "rsa")):
            self.keygen("-t", kind, "-N", "", "-f", folder / key)
        self.keygen("-t", "ed25519", "-N", "words", "-f", folder / "locked")
        self.keygen("-s", folder / "ca", "-I", "controller", "-n", self.user, folder / "certified.pub")
        shutil.copy(folder / "client.pub", folder / "authorized")
        (folder / "authorized").chmod(0o644)
        for name, shell in (("passwd", "/bin/sh"), ("passwd-nologin", "/usr/sbin/nologin")):
            passwd = pathlib.Path("/etc/passwd").read_text()
            (folder / name).write_text(passwd + f"{ACCOUNT}:x:65534:65534::{folder}/home:{shell}\n")

    @staticmethod
    def keygen(*arguments):
        subprocess.run(["ssh-keygen", "-q", "-C", "test", *arguments], check=True)

    def start(self, name, keys=("host", "host_rsa", "host_ecdsa"), sudo="yes", keys_file="authorized", passwd="passwd",
              lines=()):
        port = free_port()
        config = self.folder / f"{name}.conf"
        config.write_text("\n".join([
            f"ListenAddress {ADDRESS}:{port}",
            *(f"HostKey {self.folder / key}" for key in keys),
            f"AuthorizedKeysFile {self.folder / keys_file}",
            f"SetEnv PATH={self.folder / f'sudo-{sudo}'}:/usr/local/bin:/usr/bin:/bin",
            f"PidFile {self.folder / name}.pid",
            "AuthenticationMethods publickey", "StrictModes no", "UsePAM no", "PrintMotd no", "LogLevel VERBOSE",
            "MaxStartups 100", "UseDNS no", *lines]) + "\n")
        program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        command = [program, "-D", "-e", "-f", config]
        if self.as_root:
            command = ["unshare", "--mount", "sh", "-c", f'mount --bind "{self.folder / passwd}" /etc/passwd && exec "$@"',
                       "sh", *command]
        log = open(self.folder / f"{name}.log", "wb")
        child = subprocess.Popen(command, stdout=log, stderr=log)
        self.children.append(child)
        deadline = time.monotonic() + 20
        while not listens(port):
            if child.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"sshd {name} did not start:\n" + (self.folder / f"{name}.log").read_text())
            time.sleep(0.02)
        return port

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()


def main():
    with tempfile.TemporaryDirectory(prefix="nimbus-peer-ssh-") as name:
        folder = pathlib.Path(name)
        servers = Servers(folder)
        try:
            good = servers.start("good")
            ports = {
                "good": good,
                "refuses_sudo": servers.start("refuses_sudo", sudo="no"),
                "rsa_only": servers.start("rsa_only", keys=("host_rsa",)),
                "other_key": servers.start("other_key", keys=("other",)),
                "certificates": servers.start("certificates", keys_file="nobody", lines=[f"TrustedUserCAKeys {folder}/ca.pub"]),
                "chatty": servers.start("chatty", lines=[f"Banner {folder}/banner"]),
                "frozen": hostile.proxy(good, folder / "home" / "freeze"),
                "nobody": free_port(),
                **{name: hostile.serve(handle) for name, handle in hostile.HOSTILE.items()},
            }
            (folder / "banner").write_text("read this\n" * 5000)
            if servers.as_root:
                ports["no_shell"] = servers.start("no_shell", passwd="passwd-nologin")
            environment = dict(os.environ, NIMBUS_SSH_FOLDER=str(folder), NIMBUS_SSH_USER=servers.user,
                               NIMBUS_SSH_PORTS="\n".join(f"{name} {port}" for name, port in ports.items()))
            return subprocess.call(sys.argv[1:], env=environment)
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
