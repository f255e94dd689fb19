"""PyTorch's side of bench/ddp.sh: the same ResNet-18, batch and threads under DDP over Gloo.

    ddp.py weights OUT                                 random weights, torchvision's names
    ddp.py speed WEIGHTS BATCH SIZE STEPS              one JSON line   (two processes, started here)
    ddp.py gradients WEIGHTS BATCH SIZE OUT            in double
    ddp.py allreduce MEGABYTES ROUNDS                  one JSON line
    ddp.py compare FIRST SECOND                        two files of gradients
"""
import json
import os
import sys
import tempfile
import time
import warnings

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

RANKS = 2


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage in range(4):
            width = 64 << stage
            blocks = [Block(inputs, width, 1 if stage == 0 else 2), Block(width, width, 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = width

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return x.mean((2, 3)).square().mean()


def images_of(batch, size, rank, dtype):
    shape = (batch, 3, size, size)
    index = torch.arange(batch * 3 * size * size, dtype=torch.float64)
    return torch.sin(index * 0.37 + rank).reshape(shape).to(dtype)


def model_of(weights, dtype):
    model = ResNet18()
    model.load_state_dict(load_file(weights))
    # Buffers differ by rank on both sides; buckets as views save DDP a copy.
    return nn.parallel.DistributedDataParallel(
        model.to(dtype), broadcast_buffers=False, gradient_as_bucket_view=True)


def cost_of(step):
    """Seconds, and CPU seconds of all threads of the process; of the slower rank. Ranks start together."""
    dist.barrier()
    start, cpu_start = time.perf_counter(), time.process_time()
    step()
    taken = torch.tensor([time.perf_counter() - start, time.process_time() - cpu_start], dtype=torch.float64)
    dist.all_reduce(taken, dist.ReduceOp.MAX)
    return taken.tolist()


def speed(rank, weights, batch, size, steps):
    model = model_of(weights, torch.float32)
    images = images_of(int(batch), int(size), rank, torch.float32)

    def step():
        model.zero_grad(set_to_none=False)
        model(images).backward()

    def step_alone():
        with model.no_sync():
            step()

    warm_up = 3
    costs = [cost_of(step) + cost_of(step_alone) for _ in range(warm_up + int(steps))][warm_up:]
    if rank == 0:
        print(json.dumps(dict(zip(("seconds", "cpu", "alone", "alone_cpu"), map(min, zip(*costs))))))


def gradients(rank, weights, batch, size, out):
    model = model_of(weights, torch.float64)
    model(images_of(int(batch), int(size), rank, torch.float64)).backward()
    if rank == 0:
        save_file({k: p.grad.contiguous() for k, p in model.module.named_parameters()}, out)


def allreduce(rank, megabytes, rounds):
    values = torch.zeros(int(float(megabytes) * 1e6 / 4))
    times = [cost_of(lambda: dist.all_reduce(values))[0] for _ in range(int(rounds) + 1)][1:]
    if rank == 0:
        rate = float(megabytes) / min(times)
        print(json.dumps({"seconds": min(times), "megabytes_per_second": rate}))


def worker(rank, store, body, arguments):
    warnings.simplefilter("ignore")  # of options that DDP renames
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    globals()[body](rank, *arguments)
    dist.barrier()
    dist.destroy_process_group()


def compare(first, second):
    """Largest difference of a gradient tensor, relative to its largest value."""
    a, b = load_file(first), load_file(second)
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    worst = max(((a[k] - b[k]).abs().max() / b[k].abs().max()).item() for k in a)
    print(json.dumps({"gradients": worst}))


def main():
    mode, arguments = sys.argv[1], sys.argv[2:]
    if mode == "weights":
        torch.manual_seed(1)
        save_file(ResNet18().state_dict(), arguments[0])
    elif mode == "compare":
        compare(*arguments)
    else:
        with tempfile.TemporaryDirectory() as folder:
            mp.spawn(worker, (os.path.join(folder, "store"), mode, arguments), nprocs=RANKS)


if __name__ == "__main__":
    main()
