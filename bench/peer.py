"""What the Python sides of the benchmarks share: our program, alternating with theirs, what a process costs, and a table."""
import json
import os
import subprocess
import sys
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
    """Starts measuring peak memory from here."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def cost_of(step):
    """{"seconds", "cpu"} of step(), the latter over all threads, and what it returns."""
    start, cpu = time.perf_counter(), time.process_time()
    result = step()
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}, result


def least(costs, key):
    return min(cost[key] for cost in costs)


def head():
    print(f"{'':28}{'stc':>10}{'PyTorch':>12}{'ratio':>8}")


def row(name, ours, theirs, form=".0f"):
    print(f"  {name:26}{ours:10{form}}{theirs:12{form}}{theirs / ours:8.1f}")


def run_cases(compare, set_threads):
    """compare(program, threads, rounds, number, *case) for each case of the command line PROGRAM THREADS ROUNDS NUMBER A:B..., in
    a process of its own, so that peak memory is that of the case."""
    own, cases = sys.argv[:5], sys.argv[5:]
    threads, rounds, number = map(int, own[2:])
    if cases[0] == "only":
        set_threads(threads)
        return compare(own[1], threads, rounds, number, *map(int, cases[1].split(":")))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (1 min); {threads} thread(s); the minimum of {rounds} rounds, alternating",
          flush=True)
    for case in cases:
        subprocess.run([sys.executable, *own, "only", case], check=True)
