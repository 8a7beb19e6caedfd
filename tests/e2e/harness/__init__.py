"""Pieces of a small site for end-to-end tests and the demo: a forge behind a real
sshd, a registry as a person edits it, BMCs that this project did not write,
nimbusd, and ways to look at machines that do not go through nimbusd.

Python's standard library only. Everything listens on 127.0.0.0/8 and is ended by
the process that started it.
"""
