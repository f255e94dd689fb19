"""PyTorch's side of bench/propagation.sh, which also starts ours: the labels of one frame from 21
frames by dense products, in slices of 32 queries, as in published code.

    propagation.py PROGRAM THREADS ROUNDS SLICES DEPTH:STRIDE...
"""
import tempfile

import torch
import torch.nn.functional as F
from peer import Ours, cost_of, head, least, row, run_cases, status_megabytes
from safetensors.torch import load_file, save_file

FRAMES, SLICE, TOP_K, TEMPERATURE, LABELS = 21, 32, 10, 0.07, 4
CHANNELS = {18: 256, 50: 1024}
SHAPES = {8: (60, 107, 12), 4: (120, 214, 35)}  # height, width, half window of a DAVIS frame


def make_case(folder, channels, height, width):
    """Similar frames, as in a video; positive, as after a ReLU."""
    torch.manual_seed(1)
    scene = torch.randn(channels, height, width)
    for t in range(FRAMES + 1):
        frame = {"features": F.relu(scene.roll(t // 2, 2) + 0.4 * torch.randn(scene.shape))}
        if t < FRAMES:
            frame["labels"] = torch.rand(LABELS, height, width).softmax(0)
        save_file(frame, f"{folder}/{t}.safetensors")


def window(queries, height, width, half):
    """[h * w, queries]: True where the key is too far from the query."""
    cells = torch.arange(height * width)
    rows = (cells // width)[:, None] - (queries // width)[None]
    columns = (cells % width)[:, None] - (queries % width)[None]
    return (rows.abs() > half) | (columns.abs() > half)


def dense(keys, values, query, far):
    """keys [C, frames * h * w], values [K, frames * h * w], query [C, queries] -> [K, queries]"""
    affinity = torch.einsum("ci,cj->ij", keys, query) / TEMPERATURE
    affinity.view(FRAMES, *far.shape).masked_fill_(far[None], float("-inf"))
    best, index = affinity.topk(TOP_K, dim=0)
    chosen = values.index_select(1, index.reshape(-1)).view(-1, *index.shape)
    return (chosen * best.softmax(0)[None]).sum(1)


class Peer:
    def __init__(self, folder, height, width, half, slices):
        frames = [load_file(f"{folder}/{t}.safetensors") for t in range(FRAMES + 1)]
        unit = [F.normalize(f["features"].flatten(1), dim=0) for f in frames]
        self.keys, self.query = torch.cat(unit[:-1], 1), unit[-1]
        self.values = torch.cat([f["labels"].flatten(1) for f in frames[:-1]], 1)
        cells = height * width
        starts = torch.linspace(0, cells - SLICE, slices).long().tolist()
        self.queries = [torch.arange(s, s + SLICE) for s in starts]
        # Published code creates it once per clip, so it is not timed here; for these slices only, while theirs is [h*w, h*w].
        self.far = [window(q, height, width, half) for q in self.queries]
        self.scale = cells / (SLICE * slices)

    def frame(self):
        """The cost, scaled from the slices to all queries, and the labels."""
        cost, labels = cost_of(
            lambda: [dense(self.keys, self.values, self.query[:, q], far) for q, far in zip(self.queries, self.far)])
        return {key: value * self.scale for key, value in cost.items()}, torch.cat(labels, 1)


def compare(program, threads, rounds, slices, depth, stride):
    height, width, half = SHAPES[stride]
    with tempfile.TemporaryDirectory() as folder:
        make_case(folder, CHANNELS[depth], height, width)
        ours = Ours([program, folder, str(FRAMES), str(half), str(threads)])
        ours.step()  # reads its case and warms up
        peer = Peer(folder, height, width, half, slices)
        mine, theirs = [], []
        for _ in range(rounds):
            mine.append(ours.step())
            cost, labels = peer.frame()
            theirs.append(cost)
        ours.close()
        expected = load_file(f"{folder}/ours.safetensors")["labels"].t()[:, torch.cat(peer.queries)]
    difference = (labels - expected).abs()
    print(f"ResNet-{depth} stride {stride}, {height}x{width} cells, {FRAMES} frames, window {2 * half + 1}: "
          f"{100 / peer.scale:.1f} % of the queries on PyTorch's side, times scaled")
    head()
    for key, name in (("seconds", "seconds a frame"), ("cpu", "CPU seconds a frame")):
        row(name, least(mine, key), least(theirs, key), ".2f")
    row("peak memory, MB", mine[-1]["megabytes"], status_megabytes("VmHWM:"))
    print(f"  labels: largest difference {difference.max():.1e}, above 1e-4 in "
          f"{(difference > 1e-4).any(0).sum()} of {difference.shape[1]} queries", flush=True)


if __name__ == "__main__":
    run_cases(compare, torch.set_num_threads)
