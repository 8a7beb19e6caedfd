"""Child processes with a log file, ended by process id and never by name."""
import ctypes
import os
import pathlib
import signal
import subprocess

from .wait import wait_until

PR_SET_PDEATHSIG = 1
LOG_TAIL_BYTES = 6000
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One process in a session of its own, writing to `log`. Ends with its parent."""

    def __init__(self, name, arguments, log, env=None, cwd=None, outlive=False):
        self.name = name
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen(
                [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd=cwd,
                start_new_session=True, preexec_fn=None if outlive else _die_with_parent)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def kill(self):
        """SIGKILL, and the exit status is taken."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds):
        """The exit status; fails if it does not end in time."""
        wait_until(lambda: not self.alive(), seconds, f"{self.name} ended", self.tail)
        return self.process.returncode

    def stop(self, seconds=10):
        """SIGTERM, then SIGKILL to whatever of its session is left. For cleaning up."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait(seconds)
        except AssertionError:
            self.kill()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        return self.process.returncode

    def tail(self):
        return f"--- {self.log} (end)\n{tail(self.log)}"


def start_time(pid):
    """When a process started, in the kernel's ticks: with the id it names one process. None when gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def tail(path, most=LOG_TAIL_BYTES):
    """The end of a text file, or a remark that there is none."""
    path = pathlib.Path(path)
    if not path.exists():
        return "(no such file)"
    data = path.read_bytes()[-most:]
    return data.decode("utf-8", "replace")


def run(arguments, check=True, **options):
    """subprocess.run with captured text; a failure shows the output."""
    options.setdefault("timeout", 60)
    result = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, **options)
    if check and result.returncode != 0:
        raise AssertionError(
            f"{' '.join(map(str, arguments))}: exit {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result
