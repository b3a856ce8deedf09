"""What one would write in half an hour: python tests/benchmarks/naive.py FOLDER. Compared with ``assetgen batch``."""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from asset_gen.bundle import BUILT_IN
from asset_gen.latents import latents
from trainer.finetune import load_source
from trainer.loop import Settings, new_generator

source, out = load_source(BUILT_IN), Path(sys.argv[1])
types, count = source.types, 500
generator = new_generator(source.lineage.generator, Settings(), len(types), source.lineage.size).eval()
generator.load_state_dict(source.weights.part("average"))
classifier = onnxruntime.InferenceSession(str(BUILT_IN / "classifier.onnx"), providers=["CPUExecutionProvider"])
for kind, name in enumerate(types):
    wanted = count // len(types) + (kind < count % len(types))
    z = torch.from_numpy(latents(0, name, np.arange(4 * wanted), 128))
    sprites, chances = [], []
    for part in z.split(64):
        label = torch.zeros(len(part), len(types))
        label[:, kind] = 1
        with torch.inference_mode():
            rgba = generator(part, label).numpy()
        logits = classifier.run(None, {"rgba": rgba})[0]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances.append((powers / powers.sum(axis=1, keepdims=True))[:, kind])
        sprites.append(((rgba + 1) * 127.5).round().astype(np.uint8).transpose(0, 2, 3, 1))
    pictures, best = np.concatenate(sprites), np.argsort(-np.concatenate(chances))[:wanted]
    (out / name).mkdir(parents=True)
    sheet = Image.new("RGBA", (6 * 34, -(-wanted // 6) * 34))
    for place, row in enumerate(best):
        picture = Image.fromarray(pictures[row], "RGBA")
        picture.save(out / name / f"{place}.png")
        sheet.paste(picture, (place % 6 * 34, place // 6 * 34))
    sheet.save(out / f"{name}.png")
