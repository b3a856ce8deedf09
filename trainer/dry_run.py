"""What would a training cost? Twenty real steps tell, and nothing is written."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from dataclasses import asdict
from typing import Any

import torch

from trainer.config import Config, outside_networks
from trainer.dataset import Dataset
from trainer.loop import Training
from trainer.presets import changeable
from trainer.run import Limit

STEPS = 20
WARM_UP = 2  # steps, in which memory is found and kernels are chosen


def rehearse(config: Config, dataset: Dataset, training: Training, limit: Limit) -> dict[str, Any]:
    """Run ``STEPS`` steps and say what the whole training would take.

    Returns: ``recipe`` (every number that ``--set`` can change), ``settings``, ``sprites``, ``parameters`` by network,
    ``memory_mib`` (peak), ``seconds_per_step`` (mean), ``kimg_per_hour``, and ``hours`` and ``kimg`` of the whole.
    """
    seconds = []
    for _ in range(STEPS):
        begun = time.perf_counter()
        training.advance()
        if training.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    each = statistics.mean(seconds[WARM_UP:])
    kimg = training.sprites_seen / 1000 / training.step
    steps = _steps(limit, training, each)
    networks = {"generator": training.generator, "discriminator": training.discriminator}
    return {
        "preset": config.preset,
        "recipe": changeable(training.preset),
        "loss": config.settings.loss or training.preset.losses[0],
        "settings": asdict(config.settings),
        "sprites": {"read": len(dataset.files), "size": dataset.size, "types": dataset.counts()},
        "outside_networks": outside_networks(config),
        "device": device_name(training.device),
        "processes": training.group.world,
        "parameters": {
            name: sum(p.numel() for p in network.parameters() if p.requires_grad) for name, network in networks.items()
        },
        "memory_mib": round(_peak_memory(training.device) / 2**20),
        "batch": training.batch,
        "seconds_per_step": round(each, 4),
        "kimg_per_hour": round(kimg / each * 3600, 1),
        "steps": steps,
        "kimg": round(steps * kimg, 1),
        "hours": round(steps * each / 3600, 2),
    }


def _steps(limit: Limit, training: Training, seconds: float) -> int:
    """Steps until the first of the limits, at so many seconds a step."""
    per_epoch = training.batches_per_epoch / training.settings.critic_steps
    reached = [
        limit.minutes and limit.minutes * 60 / seconds,
        limit.steps and float(limit.steps),
        limit.epochs and limit.epochs * per_epoch,
    ]
    return round(min(value for value in reached if value))


def _peak_memory(device: torch.device) -> int:
    """Bytes: of the GPU where one is used, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_name(device: torch.device) -> str:
    """What a training runs on, in words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
