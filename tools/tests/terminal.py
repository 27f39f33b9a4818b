#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run a program on a pseudo-terminal, and press keys when it says things.

usage: terminal.py COLUMNSxROWS STEP... -- PROGRAM [ARGUMENT...]

Steps, in this order: see:TEXT waits until TEXT was shown, key:TEXT presses
keys (\\n, \\e and \\xNN as in C), size:COLUMNSxROWS resizes, never:TEXT fails if
TEXT was ever sent, run:COMMAND runs a shell command, which has to succeed, while
the program runs, and kill:9 kills it, which is then its right end. What the program sends between escape sequences is looked
at: words that stand apart need not come in one piece, so TEXT has no blanks.
Prints what was sent; the exit status is the program's, or 99 if a step failed.
"""
import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 60
ESCAPES = re.compile(rb"\x1b\[[0-9;?>=!]*[a-zA-Z@`]|\x1b[()][0-9A-B]|\x1b[=>78MDEH]|[\x0e\x0f]")


def resize(fd, text):
    columns, rows = map(int, text.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    def __init__(self, size, argv):
        self.sent = b""
        self.seen = 0
        self.killed = 0
        pid, self.fd = os.forkpty()
        if not pid:
            resize(0, size)
            os.execvp(argv[0], argv)
        self.pid = pid

    def read(self, patience):
        if not select.select([self.fd], [], [], patience)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.sent += data
        return bool(data)

    def see(self, text):
        end = time.monotonic() + PATIENCE
        while True:
            shown = ESCAPES.sub(b"", self.sent[self.seen:])
            if text in shown:
                self.seen = len(self.sent)
                return True
            if time.monotonic() > end or not self.read(end - time.monotonic()):
                return text in ESCAPES.sub(b"", self.sent[self.seen:])

    def step(self, step):
        what, _, text = step.partition(":")
        raw = text.encode().replace(b"\\e", b"\x1b").replace(b"\\n", b"\n")
        raw = re.sub(rb"\\x(..)", lambda m: bytes([int(m[1], 16)]), raw)
        if what == "see":
            return self.see(raw)
        if what == "never":
            return raw not in self.sent
        if what == "run":
            return not subprocess.call(["sh", "-c", text], stdout=subprocess.DEVNULL)
        if what == "kill":
            self.killed = int(text)
            os.kill(self.pid, self.killed)
        elif what == "size":
            resize(self.fd, text)
        else:
            os.write(self.fd, raw)
        return True

    def end(self):
        while self.read(PATIENCE):
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return 0 if self.killed and status == -self.killed else status


def main():
    split = sys.argv.index("--")
    terminal = Terminal(sys.argv[1], sys.argv[split + 1:])
    steps = sys.argv[2:split]
    failed = []
    for step in steps:
        if not step.startswith("never:") and not terminal.step(step):
            failed.append(step)
            break
    if failed:
        os.kill(terminal.pid, 9)
    status = terminal.end()
    failed += [s for s in steps if s.startswith("never:") and not terminal.step(s)]
    sys.stdout.buffer.write(terminal.sent)
    sys.stdout.flush()
    if failed:
        print("\nfailed:", *failed, file=sys.stderr)
        return 99
    return status & 255


sys.exit(main())
