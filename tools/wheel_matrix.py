"""Prints the wheels to build as a job matrix: cibuildwheel's identifiers, each with its runner.

    python tools/wheel_matrix.py
"""

import json
import subprocess
import sys

RUNNERS = {
    "linux_x86_64": "ubuntu-latest",
    "linux_aarch64": "ubuntu-24.04-arm",
    "macosx_x86_64": "macos-15-intel",
    "macosx_arm64": "macos-latest",
    "win_amd64": "windows-latest",
    "win_arm64": "windows-11-arm",
}


def identifiers(platform):
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers",
               "--platform", platform]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def runner(identifier):
    return next(name for end, name in RUNNERS.items() if identifier.endswith(end))


def main():
    jobs = [{"only": only, "os": runner(only)}
            for platform in ("linux", "macos", "windows") for only in identifiers(platform)]
    print(json.dumps(jobs))
    return 0 if jobs else 1


if __name__ == "__main__":
    sys.exit(main())
