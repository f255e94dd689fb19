"""What the Python sides of the benchmarks share: our program, asked in turn with theirs, and what a process costs."""
import json
import subprocess
import time


class Ours:
    """A program that answers each line on its standard input with one JSON line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.communicate()
        assert self.process.returncode == 0, "our side failed"


def status_megabytes(field):
    """A field of /proc/self/status ("VmHWM:", "VmRSS:"), in MB of 1024 kB."""
    for line in open("/proc/self/status"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024


def restart_peak():
    """Peak memory counts from here."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def cost_of(step):
    """{"seconds", "cpu"} of step(), the latter over all threads; and what it returns."""
    start, cpu = time.perf_counter(), time.process_time()
    result = step()
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}, result


def least(costs, key):
    return min(cost[key] for cost in costs)
