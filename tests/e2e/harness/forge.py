"""A Git forge: a bare repository behind a real OpenSSH server on a loopback port."""
import getpass
import os
import pathlib
import shutil
import subprocess

from .ports import free_tcp_port, listens
from .process import Child, run
from .wait import wait_until

ADDRESS = "127.0.0.1"


def clean_git_environment(**more):
    """The environment for git without any configuration of this machine or person."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "SSH_"))}
    return {**env, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C", **more}


class GitForge:
    """start() and stop() are the forge going up and down; the repository stays.

    `key` is allowed to read and push, and to nothing but git. Works as root and
    as anybody else.
    """

    def __init__(self, folder, outlive=False):
        self.folder = pathlib.Path(folder).resolve()
        self.repository = self.folder / "registry.git"
        self.host_key = self.folder / "sshd" / "host_key"
        self.key = self.folder / "client" / "id_ed25519"
        self.known_hosts = self.folder / "client" / "known_hosts"
        self.port = None
        self.sshd = None
        self.outlive = outlive
        self._make()

    @property
    def url(self):
        return f"ssh://{getpass.getuser()}@{ADDRESS}:{self.port}{self.repository}"

    @property
    def file_url(self):
        return f"file://{self.repository}"

    def git(self, *arguments, check=True):
        """git in the bare repository, beside the server."""
        return run(["git", f"--git-dir={self.repository}", *arguments], check=check, env=clean_git_environment())

    def client_environment(self):
        """For a person's git: this forge's key and host key, and no others."""
        return clean_git_environment(GIT_SSH_COMMAND=(
            f"ssh -F none -i {self.key} -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes "
            f"-o UserKnownHostsFile={self.known_hosts} -o GlobalKnownHostsFile=/dev/null"))

    def _make(self):
        for folder in (self.host_key.parent, self.key.parent):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        for key in (self.host_key, self.key):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key])
        run(["git", "init", "-q", "--bare", "--initial-branch=main", self.repository], env=clean_git_environment())
        public = self.key.with_suffix(".pub").read_text()
        # "restrict" forbids everything but the one command; git shell runs only
        # what fetch and push ask for.
        (self.folder / "sshd" / "authorized_keys").write_text(
            f'restrict,command="git shell -c \\"$SSH_ORIGINAL_COMMAND\\"" {public}')

    def _configure(self):
        sshd = self.folder / "sshd"
        (sshd / "config").write_text("\n".join([
            f"ListenAddress {ADDRESS}:{self.port}",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {sshd / 'authorized_keys'}",
            f"PidFile {sshd / 'pid'}",
            "AuthenticationMethods publickey",
            "PermitRootLogin prohibit-password",
            "StrictModes no",  # the folder lies below a temporary one
            "UsePAM no",
            "PrintMotd no",
            "LogLevel ERROR",
            "MaxStartups 100",
            "UseDNS no",
        ]) + "\n")
        kind, blob = self.host_key.with_suffix(".pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[{ADDRESS}]:{self.port} {kind} {blob}\n")

    def start(self):
        program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")
        if program is None:
            raise RuntimeError("sshd is missing (Debian package openssh-server)")
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists, as root
        for _ in range(5):
            fresh = self.port is None
            if fresh:
                self.port = free_tcp_port(ADDRESS)
            self._configure()
            self.sshd = Child("sshd", [program, "-D", "-e", "-f", self.folder / "sshd" / "config"],
                              self.folder / "sshd" / "log", env=clean_git_environment(), outlive=self.outlive)
            wait_until(lambda: listens(ADDRESS, self.port) or not self.sshd.alive(), 10, "sshd listens", self.sshd.tail)
            if self.sshd.alive():
                return self
            if not fresh:
                break
            self.port = None
        raise RuntimeError("sshd did not start\n" + self.sshd.tail())

    def stop(self):
        if self.sshd is not None:
            self.sshd.stop()
            self.sshd = None

    def head(self, branch="main"):
        """The commit id of a branch, or None."""
        result = self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False)
        return result.stdout.strip() or None

    def tail(self):
        return self.sshd.tail() if self.sshd else "--- sshd is down"
