"""PyTorch's side of bench/losses.sh, which also starts ours: the losses of step 2 by dense maps of all pairs of cells, as
published code has them, forward and backward.

    losses.py PROGRAM THREADS ROUNDS BATCH DEPTH:SIZE...
"""
import tempfile

import torch
import torch.nn.functional as F
from peer import Ours, cost_of, head, least, restart_peak, row, run_cases, status_megabytes
from safetensors.torch import load_file, save_file

CHANNELS = {18: (128, 256, 512), 50: (512, 1024, 2048)}
STRIDES = (4, 8, 32)
RADII = (12, 6)


def make_case(folder, depth, size, batch):
    """Features of two similar frames; positive, as after a ReLU."""
    torch.manual_seed(1)
    tensors = {}
    for i, (channels, stride) in enumerate(zip(CHANNELS[depth], STRIDES)):
        scene = torch.randn(batch, 1, channels, size // stride, size // stride)
        pair = F.relu(scene + 0.4 * torch.randn(batch, 2, *scene.shape[2:]))
        tensors[f"level{i}"] = channels**-0.25 * pair  # otherwise the unscaled products are one-hot, and ties decide
    tensors["teacher"] = F.relu(torch.randn_like(tensors["level2"]))
    tensors["lab"] = torch.rand(batch, 2, 3, size, size) - 0.5
    save_file(tensors, f"{folder}/case.safetensors")


def window(side, radius):
    """[side^2, side^2]: True where the reference cell is in the target cell's window."""
    rows = torch.arange(side).repeat_interleave(side)
    columns = torch.arange(side).repeat(side)
    return ((rows[:, None] - rows).abs() <= radius) & ((columns[:, None] - columns).abs() <= radius)


class Peer:
    def __init__(self, folder, size):
        case = load_file(f"{folder}/case.safetensors")
        self.levels = [case[f"level{i}"].requires_grad_() for i in range(3)]
        self.teacher, self.lab = case["teacher"], case["lab"]
        # Created once, as in published code.
        self.windows = [window(size // stride, radius) for stride, radius in zip(STRIDES, RADII)]

    @staticmethod
    def correlation(pair, scale, mask=None):
        reference, target = pair[:, 0].flatten(2), pair[:, 1].flatten(2)
        dots = torch.einsum("bci,bcj->bij", target, reference) * scale
        return (dots if mask is None else dots.masked_fill(~mask, float("-inf"))).softmax(-1)

    def reconstruction(self, values, level, channel=1):
        side = level.shape[-1]
        full = F.interpolate(values.view(-1, 1, side, side), self.lab.shape[-2:], mode="bilinear")
        return F.smooth_l1_loss(full * 20, self.lab[:, 1, channel : channel + 1] * 20)

    @torch.no_grad()
    def selection(self, level):
        """Which cells the local loss counts: the scores of the window in the zero-padded frame, column by column."""
        radius, side = RADII[1], level.shape[-1]
        around = F.unfold(level[:, 0], 2 * radius + 1, padding=radius)
        around = around.view(len(level), level.shape[2], -1, side * side)
        p = torch.einsum("bci,bcki->bki", level[:, 1].flatten(2), around).softmax(1)
        score = -(p + 1e-12).log().sum(1).view(-1, side, side)
        return score > score.sort(-1, descending=True)[0][:, int(side * 0.7) - 1][:, None]

    def step(self):
        for level in self.levels:
            level.grad = None
        fine, coarse, top = self.levels
        loss, maps = 0, []
        for level, mask, stride in zip((fine, coarse), self.windows, STRIDES):
            maps.append(self.correlation(level, level.shape[2] ** -0.5, mask))
            colours = self.lab[:, 0, 1, ::stride, ::stride].flatten(1)
            loss = loss + self.reconstruction(torch.einsum("bij,bj->bi", maps[-1], colours), level)
        side, half = fine.shape[-1], coarse.shape[-1]
        with torch.no_grad():
            pooled = F.avg_pool2d(maps[0].detach().view(-1, 1, side, side), 2).view(-1, half, 2, half, 2, half * half)
            pooled = pooled.mean((2, 4)).view(-1, half * half, half * half)
        weight = self.selection(coarse).flatten(1)
        squares = (maps[1] - pooled).square().sum(-1)
        loss = loss + 1000 * (squares * weight).sum() / (weight.sum() * half * half)
        goal = self.correlation(self.teacher, 1 / 0.07)
        loss = loss + 50 * F.mse_loss(self.correlation(top, top.shape[2] ** -0.5), goal)
        loss.backward()
        return loss.detach()


def compare(program, threads, rounds, batch, depth, size):
    with tempfile.TemporaryDirectory() as folder:
        make_case(folder, depth, size, batch)
        ours, peer = Ours([program, folder, str(threads)]), Peer(folder, size)
        restart_peak()
        before = status_megabytes("VmRSS:")
        ours.step()
        peer.step()
        mine, theirs = [], []
        for _ in range(rounds):
            mine.append(ours.step())
            cost, loss = cost_of(peer.step)
            theirs.append(cost)
        memory = status_megabytes("VmHWM:") - before
        ours.close()
        expected = load_file(f"{folder}/ours.safetensors")
    worst = max(((level.grad - expected[f"grad{i}"]).norm() / level.grad.norm()).item() for i, level in enumerate(peer.levels))
    print(f"ResNet-{depth}, {batch} pairs of {size} pixels: features of {'x'.join(map(str, peer.levels[0].shape[-2:]))} cells")
    head()
    for key, name in (("seconds", "ms"), ("cpu", "CPU ms")):
        row(f"{name}, forward and backward", 1000 * least(mine, key), 1000 * least(theirs, key))
    row("memory above inputs, MB", mine[-1]["megabytes"], memory)
    print(f"  loss {loss:.6f}, relative difference {abs(expected['total'] - loss) / loss:.1e}; gradients {worst:.1e}", flush=True)


if __name__ == "__main__":
    run_cases(compare, torch.set_num_threads)
