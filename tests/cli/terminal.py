"""Runs a program on a terminal of its own and types at it.

Arguments: the program and its words. Standard input: a JSON list of [prompt, answer] pairs; each
answer is typed once its prompt has appeared. Prints what the terminal showed, and how it ended.
"""

import json
import os
import pty
import select
import sys
import time

SECONDS_MAX = 120


def main():
    script = json.load(sys.stdin)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    shown, seen, end = b"", 0, time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        if script and (at := shown.find(script[0][0].encode(), seen)) >= 0:
            seen = at + len(script[0][0].encode())
            os.write(terminal, script.pop(0)[1].encode())
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        if not more:
            break
        shown += more
    else:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    answer = {"shown": shown.decode(), "exit": os.waitstatus_to_exitcode(status), "left": script}
    json.dump(answer, sys.stdout)


main()
