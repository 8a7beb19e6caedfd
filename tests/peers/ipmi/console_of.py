#!/usr/bin/env python3
"""What a person sees at a console: console_of.py EXPECT SEND EXPECT LEAVE PROGRAM ARGUMENT...

Runs the program on a terminal of its own, waits for the first text, types the second (a line end is added), waits
for the third, types the fourth (the program's escape), waits for its end and prints all that was seen.
"""
import os
import pty
import select
import signal
import sys
import time

first, typed, second, leave, *program = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(program[0], program)
deadline = time.monotonic() + 15
seen = ""


def read():
    """False: the program has ended."""
    global seen
    if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
        os.kill(pid, signal.SIGKILL)
        sys.exit(f"nothing more came:\n{seen}")
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        return False
    seen += piece.decode(errors="replace")
    return bool(piece)


for wanted, answer in ((first, typed + "\r"), (second, leave)):
    while wanted not in seen:
        if not read():
            sys.exit(f"the program ended:\n{seen}")
    os.write(terminal, answer.encode())
while read():
    pass
os.waitpid(pid, 0)
print(seen)
