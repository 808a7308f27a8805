"""Runs a program that dies with whoever started it: `tied.py PARENT_PID PROGRAM ARGUMENT...`.

A test run that is killed cannot stop anything any more, so on Linux the kernel is told to end this process with its parent, before
the program takes its place. Elsewhere the program just runs, and a killed test run leaves it behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(sys.argv[1]):  # it died before the kernel knew
            sys.exit(1)
    os.execv(sys.argv[2], sys.argv[2:])
