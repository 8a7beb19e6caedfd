"""The registry as a person works on it: a clone, files, commits, pushes."""
import pathlib
import textwrap

from .process import run

BRANCH = "main"


class RegistryRepo:
    """A work tree of the forge's repository, with the least files of a valid registry."""

    def __init__(self, folder, forge, provider="lab"):
        self.folder = pathlib.Path(folder).resolve()
        self.forge = forge
        self.provider = provider
        self.git_environment = {
            **forge.client_environment(),
            "GIT_AUTHOR_NAME": "Alice Example", "GIT_AUTHOR_EMAIL": "alice@metal.example",
            "GIT_COMMITTER_NAME": "Alice Example", "GIT_COMMITTER_EMAIL": "alice@metal.example"}
        self.git("init", "-q", f"--initial-branch={BRANCH}", str(self.folder), inside=False)
        self.git("remote", "add", "origin", forge.url)
        self.write("registry.toml", """\
            format = 1
            name = "acme-metal"
            """)
        self.write(f"providers/{provider}/provider.toml", """\
            region = "lab"
            """)

    def git(self, *arguments, check=True, inside=True):
        where = ["-C", str(self.folder)] if inside else []
        return run(["git", *where, *arguments], check=check, env=self.git_environment)

    def write(self, path, text):
        """Writes a file of the work tree; the text may be indented."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text))
        return target

    def read(self, path):
        return (self.folder / path).read_text()

    def edit(self, path, old, new):
        """Replaces `old`, which must be there exactly once."""
        text = self.read(path)
        if text.count(old) != 1:
            raise AssertionError(f"{path} holds {text.count(old)} times: {old!r}")
        (self.folder / path).write_text(text.replace(old, new))

    def machine_path(self, machine):
        return f"providers/{self.provider}/machines/{machine}.toml"

    def commit(self, subject):
        """Commits everything; returns the commit id."""
        self.git("add", "--all")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def push(self):
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{BRANCH}")

    def publish(self, subject):
        """Commit and push; returns the commit id."""
        commit = self.commit(subject)
        self.push()
        return commit
