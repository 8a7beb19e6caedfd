"""The status branch, read from the forge's repository as anybody could."""
import tomllib


class StatusBranch:
    def __init__(self, forge, provider="lab", prefix="nimbus/status"):
        self.forge = forge
        self.provider = provider
        self.ref = f"refs/heads/{prefix}/{provider}"

    def head(self):
        """The commit id, or None while there is no branch."""
        return self.forge.git("rev-parse", "--verify", "--quiet", self.ref, check=False).stdout.strip() or None

    def text(self, path, commit=None):
        """A file's text at the tip, or None."""
        result = self.forge.git("show", f"{commit or self.ref}:{path}", check=False)
        return result.stdout if result.returncode == 0 else None

    def document(self, path, commit=None):
        """A file, parsed by a TOML reader that is not ours, or None."""
        text = self.text(path, commit)
        return tomllib.loads(text) if text is not None else None

    def machine(self, name):
        return self.document(f"providers/{self.provider}/machines/{name}.toml")

    def controller(self):
        return self.document("status.toml")

    def condition(self, machine, kind="ready"):
        """One condition of a machine: a dictionary, empty if it is not there."""
        return (self.machine(machine) or {}).get("condition", {}).get(kind, {})

    def problems(self):
        """[[registry.problem]] of status.toml."""
        return ((self.controller() or {}).get("registry") or {}).get("problem", [])

    def commits(self):
        """Commit ids, newest first."""
        result = self.forge.git("rev-list", self.ref, check=False)
        return result.stdout.split() if result.returncode == 0 else []

    def subject(self, commit=None):
        return self.forge.git("show", "-s", "--format=%s", commit or self.ref).stdout.strip()

    def trailers(self, commit=None):
        text = self.forge.git("show", "-s", "--format=%(trailers:only,unfold)", commit or self.ref).stdout
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)

    def log(self, most=10):
        """The last commits with their files, for people."""
        result = self.forge.git("log", f"-{most}", "--stat", "--format=%n%h %s", self.ref, check=False)
        return result.stdout if result.returncode == 0 else "(no status branch)"

    def paths(self):
        result = self.forge.git("ls-tree", "-r", "--name-only", self.ref, check=False)
        return result.stdout.split("\n")[:-1] if result.returncode == 0 else []
