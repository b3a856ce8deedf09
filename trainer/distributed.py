"""How do several processes train one network, each on its rows of every batch?

Started by ``torchrun``; a process alone is a group of one. Gradients, batch statistics and losses are means over the
whole batch, so that the number of processes doesn't change what is learnt (up to the order of additions).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.nn.functional import all_reduce

from asset_gen.errors import AssetgenError, DeviceError


@dataclass(frozen=True, slots=True)
class Group:
    """The processes of a training, and which of them this one is."""

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def rows_of(self, whole: Tensor) -> Tensor:
        """This process's rows of a tensor [batch, …]; shares differ by one row at most."""
        return whole if self.world == 1 else whole.tensor_split(self.world)[self.rank]

    def weight(self, rows: int, batch: int) -> float:
        """What a mean over ``rows`` counts in the mean over processes, so that every row of the batch counts alike."""
        return rows * self.world / batch

    @torch.no_grad()
    def average(self, tensors: Iterable[Tensor | None]) -> None:
        """Replace every tensor by its mean over the processes, in one message."""
        if self.world == 1:
            return
        present = [tensor for tensor in tensors if tensor is not None]
        flat = torch.cat([tensor.reshape(-1) for tensor in present])
        dist.all_reduce(flat)
        flat /= self.world
        for tensor, part in zip(present, _split(flat, [each.numel() for each in present]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def agree(self, *wishes: bool) -> tuple[bool, ...]:
        """For each wish whether any process has it, in one message: clocks differ, and all must act alike."""
        if self.world == 1:
            return wishes
        votes = torch.tensor(wishes, dtype=torch.float32, device=_message_device())
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        return tuple(vote > 0 for vote in votes.tolist())

    def wait(self) -> None:
        """Until every process is here."""
        if self.world > 1:
            dist.barrier()


ALONE = Group()


@contextmanager
def together(group: Group) -> Iterator[None]:
    """Turn what torch says when another process is gone into a sentence.

    Raises:
        AssetgenError: this process can't go on alone.
    """
    try:
        yield
    except RuntimeError as error:
        network = ("gloo", "nccl", "connection", "peer")
        if group.world == 1 or not any(word in str(error).lower() for word in network):
            raise
        raise AssetgenError(
            f"another process of this training has ended, and it can't go on without ({str(error).splitlines()[0]}). "
            f"See what that one said; the same command with --resume goes on from the last checkpoint."
        ) from None


def join(device: torch.device) -> tuple[Group, torch.device]:
    """The group that ``torchrun`` started (its variables are in the environment), and this process's device.

    Raises:
        DeviceError: there are more processes on this machine than CUDA devices.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return ALONE, device
    if device.type == "cuda":
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise DeviceError(
                f"torchrun started more processes than there are CUDA devices ({torch.cuda.device_count()}). "
                f"Give --nproc-per-node {torch.cuda.device_count()}."
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Group(dist.get_rank(), dist.get_world_size()), device


def leave() -> None:
    """End the group, where there is one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def _split(flat: Tensor, lengths: list[int]) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = flat.split(lengths)  # type: ignore[no-untyped-call]
    return parts


def _message_device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the rows of all processes (Ioffe & Szegedy 2015, arXiv:1502.03167).

    torch's own SyncBatchNorm knows CUDA only; here a CPU group (gloo) learns the same network.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's own name)
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(input)
        x = input.float()
        count = x.new_tensor([x.numel() / x.shape[1]])
        sums = torch.cat([x.sum(dim=(0, 2, 3)), x.square().sum(dim=(0, 2, 3)), count])
        total, squares, n = _split(all_reduce(sums), [x.shape[1], x.shape[1], 1])  # type: ignore[no-untyped-call]
        mean = total / n
        variance = (squares / n - mean.square()).clamp_min(0)
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.running_mean.lerp_(mean, self.momentum or 0.0)
            self.running_var.lerp_(variance * (n / (n - 1)), self.momentum or 0.0)
            self.num_batches_tracked += 1
        y: Tensor = (x - mean[:, None, None]) * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.weight is not None:
            y = y * self.weight[:, None, None] + self.bias[:, None, None]
        return y.to(input.dtype)
