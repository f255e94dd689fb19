"""torchvision's side of bench/augment.sh, which also starts ours: MoCo v2's two views of each photograph, from its JPEG to
normalised float32.

    augment.py PROGRAM FOLDER ROUNDS IMAGES
"""
import io
import os
import pathlib
import random
import sys
import tempfile

import torch
import torchvision.transforms as T
import torchvision.transforms.v2 as V
from peer import Ours, cost_of, least
from PIL import Image, ImageFilter
from torchvision.io import decode_jpeg

SIZE, PHOTO, QUALITY = 224, (500, 375), 90  # ImageNet's usual size
NORMAL = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def make_photos(source, folder, count):
    """The bytes of JPEGs of one size, made from the photographs under `source`."""
    files = sorted(p for p in pathlib.Path(source).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    photos = []
    for i, file in enumerate(files[:count]):
        path = pathlib.Path(folder, f"{i:04}.jpg")
        Image.open(file).convert("RGB").resize(PHOTO, Image.LANCZOS).save(path, quality=QUALITY)
        photos.append(path.read_bytes())
    return photos


class PillowBlur:
    def __call__(self, image):
        return image.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2.0)))


def views_by_pillow():
    """As in MoCo v2."""
    augment = T.Compose([
        T.RandomResizedCrop(SIZE, scale=(0.2, 1.0)),
        T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        T.RandomGrayscale(p=0.2),
        T.RandomApply([PillowBlur()], p=0.5),
        T.RandomHorizontalFlip(),
        T.ToTensor(),
        T.Normalize(*NORMAL),
    ])

    def views(photo):
        image = Image.open(io.BytesIO(photo)).convert("RGB")
        return augment(image), augment(image)

    return views


def views_by_tensors():
    """The same with torchvision's newer transforms on uint8 tensors and its own JPEG decoder."""
    augment = V.Compose([
        V.RandomResizedCrop(SIZE, scale=(0.2, 1.0), antialias=True),
        V.RandomApply([V.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        V.RandomGrayscale(p=0.2),
        V.RandomApply([V.GaussianBlur(23, (0.1, 2.0))], p=0.5),
        V.RandomHorizontalFlip(),
        V.ToDtype(torch.float32, scale=True),
        V.Normalize(*NORMAL),
    ])

    def views(photo):
        image = decode_jpeg(torch.frombuffer(bytearray(photo), dtype=torch.uint8))
        return augment(image), augment(image)

    return views


def main():
    program, source, rounds, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(source, folder, count)
        assert photos, f"{source} holds no photographs"
        ours = Ours([program, folder, str(SIZE)])
        peers = {"PIL (as MoCo v2)": views_by_pillow(), "v2, uint8 tensors": views_by_tensors()}
        costs = {name: [] for name in ("stc", *peers)}
        for _ in range(rounds):
            costs["stc"].append(ours.step())
            for name, views in peers.items():
                costs[name].append(cost_of(lambda: [views(photo) for photo in photos])[0])
        ours.close()
    size = sum(map(len, photos)) / len(photos) / 1e3
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (1 min); one thread each; {len(photos)} JPEGs of "
          f"{PHOTO[0]} x {PHOTO[1]}, {size:.0f} kB; two views of {SIZE} each; the minimum of {rounds} rounds, alternating")
    print(f"{'':22}{'photos/s':>10}{'stc / it':>10}{'by CPU time':>14}")
    for name, cost in costs.items():
        print(f"{name:22}{len(photos) / least(cost, 'seconds'):10.0f}{least(cost, 'seconds') / least(costs['stc'], 'seconds'):10.1f}"
              f"{least(cost, 'cpu') / least(costs['stc'], 'cpu'):14.1f}")


if __name__ == "__main__":
    main()
