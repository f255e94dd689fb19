"""Scores the same masks by `stc score davis` and by vos-benchmark (bench/score.sh).

    score.py run PROGRAM ROUNDS SEQUENCES FRAMES
    score.py peer TRUTH PREDICTION PROCESSES OUT        what `run` starts: vos-benchmark by itself
    score.py imports                                    the same without the work
"""
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

HEIGHT, WIDTH, OBJECTS = 480, 854, 3
PALETTE = [channel for label in range(256) for channel in (37 * label % 256, 91 * label % 256, 173 * label % 256)]


def save(path, labels):
    image = Image.fromarray(labels, "P")
    image.putpalette(PALETTE)
    image.save(path)


def draw(labels, label, centre, radii, angle, waves, phase):
    """A disc, stretched, turned, with a wavy rim, so that outlines are not straight."""
    reach = 1.2 * radii.max()
    low = np.clip(centre - reach, 0, labels.shape).astype(int)
    high = np.clip(centre + reach, 0, labels.shape).astype(int)
    y, x = np.ogrid[low[0]:high[0], low[1]:high[1]]
    y, x = y - centre[0], x - centre[1]
    u = (np.cos(angle) * x + np.sin(angle) * y) / radii[0]
    v = (np.cos(angle) * y - np.sin(angle) * x) / radii[1]
    inside = u * u + v * v <= (1 + 0.1 * np.sin(waves * np.arctan2(v, u) + phase)) ** 2
    labels[low[0]:high[0], low[1]:high[1]][inside] = label


def make_sequence(rng, truth, prediction, frames):
    os.makedirs(truth)
    os.makedirs(prediction)
    places = rng.uniform((0.25 * HEIGHT, 0.2 * WIDTH), (0.75 * HEIGHT, 0.8 * WIDTH), (OBJECTS, 2))
    speeds, radii = rng.normal(0, 1.5, (OBJECTS, 2)), rng.uniform(30, 110, (OBJECTS, 2))
    angles, waves = rng.uniform(0, 3, OBJECTS), rng.integers(3, 9, OBJECTS)
    for t in range(frames):
        masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
        for k in range(OBJECTS):
            centre, angle = places[k] + t * speeds[k], angles[k] + 0.02 * t
            draw(masks[0], k + 1, centre, radii[k], angle, waves[k], 0.1 * t)
            missed = centre + rng.normal(0, 0.1 * t, 2)
            draw(masks[1], k + 1, missed, radii[k] * rng.uniform(0.85, 1.15, 2), angle, waves[k] + 1, 0)
        masks[1].flat[rng.integers(0, HEIGHT * WIDTH, 400 * (t % 3))] = 0  # holes
        for labels, folder in zip(masks, (truth, prediction)):
            save(f"{folder}/{t:05d}.png", labels)


def make_suite(folder, sequences, frames):
    rng = np.random.default_rng(5)
    for s in range(sequences):
        make_sequence(rng, f"{folder}/truth/{s:02d}", f"{folder}/prediction/{s:02d}", frames)


def peer(truth, prediction, processes, out):
    import cv2
    from vos_benchmark.benchmark import benchmark
    cv2.setNumThreads(1)
    scores = benchmark([truth], [prediction], num_processes=int(processes), verbose=False)[3][0]
    objects = {f"{s},{o}": (j / 100, fs[o] / 100) for s, (js, fs) in scores.items() for o, j in js.items()}
    with open(out, "w") as file:
        json.dump(objects, file)


def cost_of(command, cores):
    """Seconds and CPU seconds of a process and its children."""
    def bind():
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, preexec_fn=bind)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours_of(program, folder, threads):
    return [program, "score", "davis", "--truth", f"{folder}/truth", "--prediction", f"{folder}/prediction",
            "--rule", "any-id", "--threads", str(threads), "--csv", f"{folder}/ours.csv"]


def compare(program, folder, cores, rounds):
    truth, prediction = f"{folder}/truth", f"{folder}/prediction"
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(cost_of(ours_of(program, folder, cores), cores))
        theirs.append(cost_of([sys.executable, __file__, "peer", truth, prediction, str(cores), f"{folder}/peer.json"],
                              cores))
    result = json.load(open(f"{folder}/peer.json"))
    start = [min(cost_of(command, 1)[1] for _ in range(2))
             for command in ([program, "--version"], [sys.executable, __file__, "imports"])]
    (wall, cpu), (peer_wall, peer_cpu) = [map(min, zip(*costs)) for costs in (ours, theirs)]
    rows = {f"{r['sequence']},{r['object']}": (float(r["J_mean"]), float(r["F_mean"]))
            for r in csv.DictReader(open(f"{folder}/ours.csv"))}
    assert rows.keys() == result.keys()
    worst = max(abs(a - b) for o in rows for a, b in zip(rows[o], result[o]))
    print(f"{cores} core(s):   {'stc':>8}{'vos-benchmark':>15}{'ratio':>8}")
    print(f"  seconds    {wall:8.2f}{peer_wall:15.2f}{peer_wall / wall:8.1f}")
    print(f"  CPU seconds{cpu:8.2f}{peer_cpu:15.2f}{peer_cpu / cpu:8.1f}")
    print(f"  less start {cpu - start[0]:8.2f}{peer_cpu - start[1]:15.2f}{(peer_cpu - start[1]) / (cpu - start[0]):8.1f}")
    print(f"  {len(rows)} objects, largest difference of J and F {worst:.1e}", flush=True)


def seconds_at_once(commands):
    """Seconds until the last one ends; each runs on its own core if there are several."""
    start = time.perf_counter()
    cores = sorted(os.sched_getaffinity(0))
    places = [{core} for core in cores] if len(commands) > 1 else [set(cores)]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=lambda p=place: os.sched_setaffinity(0, p))
               for command, place in zip(commands, places)]
    assert all(process.wait() == 0 for process in started)
    return time.perf_counter() - start


def scaling(program, folder, rounds):
    """Two cores compared with one, and with what two independent processes achieve on this machine."""
    one, two, apart = [], [], []
    for _ in range(rounds):
        one.append(seconds_at_once([ours_of(program, folder, 1)]))
        two.append(seconds_at_once([ours_of(program, folder, 2)]))
        apart.append(seconds_at_once(2 * [ours_of(program, folder, 1)]))
    for name, of in (("least", min), ("median", statistics.median)):
        print(f"  {name}: two threads {of(one) / of(two):.2f} times as fast as one; "
              f"two processes, one core each: {2 * of(one) / of(apart):.2f}")


def run(program, rounds, sequences, frames):
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (1 min); {sequences} sequences of {frames} frames, "
          f"{OBJECTS} objects, {HEIGHT}x{WIDTH}; the minimum of {rounds} rounds, alternating", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        make_suite(folder, int(sequences), int(frames))
        for cores in (1, 2):
            compare(program, folder, cores, int(rounds))
    with tempfile.TemporaryDirectory() as folder:
        print(f"stc over cores, {4 * int(sequences)} sequences:", flush=True)
        make_suite(folder, 4 * int(sequences), int(frames))
        scaling(program, folder, 2 * int(rounds) + 1)


def main():
    mode, arguments = sys.argv[1], sys.argv[2:]
    if mode == "imports":
        import cv2  # noqa: F401
        import vos_benchmark.benchmark  # noqa: F401
    else:
        {"run": run, "peer": peer}[mode](*arguments)


if __name__ == "__main__":
    main()
