"""A ResNet's weights as other programs publish them, without torch or numpy.

    published_weights.py OUT [--depth 18|50] [--format zip|old] [--nest model.state_dict] [--prefix P] [--names SCHEME]
                             [--head NAME]... [--beside PREFIX] [--no-layer4] [--reshape TENSOR=1,2,3]

OUT is what torch.save would write (or safetensors, by its ending). All tensors are half floats that depend on their names alone.
"""
import argparse
import json
import pickle
import re
import struct
import sys
import types
import zipfile
import zlib

SCHEMES = {
    "torchvision": [],
    "crw": [(r"conv(\d)\.weight", r"conv\1.1.weight")],
    "mmcv": [(r"conv(\d)\.weight", r"conv\1.conv.weight"), (r"bn(\d)\.", r"conv\1.bn."),
             (r"downsample\.0", "downsample.conv"), (r"downsample\.1", "downsample.bn")],
    "sequential": [("^conv1", "0"), ("^bn1", "1"), ("^layer1", "4"), ("^layer2", "5"), ("^layer3", "6"), ("^layer4", "7")],
}


def trunk(depth):
    """Torchvision's names and shapes."""
    shapes = {}

    def norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = [channels]

    shapes["conv1.weight"] = [64, 3, 7, 7]
    norm("bn1", 64)
    before = 64
    for stage, blocks in enumerate([2, 2, 2, 2] if depth == 18 else [3, 4, 6, 3]):
        width = 64 << stage
        out = width if depth == 18 else 4 * width
        for block in range(blocks):
            name = f"layer{stage + 1}.{block}."
            chain = [(before, width, 3), (width, out, 3)] if depth == 18 else [(before, width, 1), (width, width, 3), (width, out, 1)]
            for i, (a, b, kernel) in enumerate(chain, 1):
                shapes[f"{name}conv{i}.weight"] = [b, a, kernel, kernel]
                norm(f"{name}bn{i}", b)
            if before != out:
                shapes[f"{name}downsample.0.weight"] = [out, before, 1, 1]
                norm(f"{name}downsample.1", out)
            before = out
    return shapes


def count(shape):
    product = 1
    for side in shape:
        product *= side
    return product


def content(name, shape):
    """Halves: 1 for a norm's weight and variance, small and varied numbers for a kernel."""
    if len(shape) == 1:
        value = 1.0 if name.endswith(("weight", "running_var")) else 0.0
        return struct.pack("<e", value) * shape[0]
    start = zlib.crc32(name.encode())
    period = b"".join(struct.pack("<e", ((start + 7919 * i) % 61 - 30) / 600) for i in range(61))
    return (period * (count(shape) // 61 + 1))[: 2 * count(shape)]


def fake_torch():
    """Names that a pickle by torch.save refers to."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.HalfStorage = type("HalfStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch, utils


class Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides = [count(self.shape[i + 1:]) for i in range(len(self.shape))]
        return (sys.modules["torch._utils"]._rebuild_tensor_v2,
                (self.storage, 0, tuple(self.shape), tuple(strides), False, {}))


class Pickler(pickle.Pickler):
    is_old = False

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        found = ("storage", sys.modules["torch"].HalfStorage, value.key, "cpu", value.numbers)
        return found + (None,) if self.is_old else found


def write_torch(path, form, nest, tensors):
    fake_torch()
    names = list(tensors)
    state = {name: Tensor(Storage(str(i), count(tensors[name][0])), tensors[name][0]) for i, name in enumerate(names)}
    for key in reversed([part for part in nest.split(".") if part]):
        state = {key: state, "meta": {"epoch": 3, "config": "text"}}
    with open(path, "wb") as file:
        Pickler.is_old = form == "old"
        if form == "old":
            for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
                pickle.dump(value, file, 2)
            Pickler(file, 2).dump(state)
            pickle.dump([str(i) for i in range(len(names))], file, 2)
            for name in names:
                file.write(struct.pack("<q", count(tensors[name][0])) + tensors[name][1])
            return
    import io
    pickled = io.BytesIO()
    Pickler(pickled, 2).dump(state)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled.getvalue())
        for i, name in enumerate(names):
            archive.writestr(f"archive/data/{i}", tensors[name][1])
        archive.writestr("archive/version", "3\n")


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--depth", type=int, default=18)
    parser.add_argument("--format", choices=["zip", "old"], default="zip")
    parser.add_argument("--nest", default="")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--names", choices=sorted(SCHEMES), default="torchvision")
    parser.add_argument("--head", action="append", default=[])
    parser.add_argument("--beside")
    parser.add_argument("--no-layer4", action="store_true")
    parser.add_argument("--reshape", default="")
    options = parser.parse_args()
    shapes = trunk(options.depth)
    if options.no_layer4:
        shapes = {name: shape for name, shape in shapes.items() if not name.startswith("layer4.")}
    if options.reshape:
        name, sides = options.reshape.split("=")
        shapes[name] = [int(side) for side in sides.split(",")]
    tensors = {}
    for prefix in [options.prefix] + ([options.beside] if options.beside else []):
        for ours, shape in shapes.items():
            name = ours
            for pattern, by in SCHEMES[options.names]:
                name = re.sub(pattern, by, name)
            tensors[prefix + name] = (shape, content(ours, shape))
    for head in options.head:
        tensors[f"{options.prefix}{head}.weight"] = ([10, 8], content("head", [10, 8]))
    if options.out.endswith(".safetensors"):
        write_safetensors(options.out, tensors)
    else:
        write_torch(options.out, options.format, options.nest, tensors)


main()
