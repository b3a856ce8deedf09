"""A checkpoint is whole, or it isn't there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from asset_gen.errors import ModelError
from trainer import checkpoint
from trainer.checkpoint import (
    Checkpoint,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
    sweep,
)


def at(step: int) -> Checkpoint:
    return Checkpoint({"weight": torch.full((3,), float(step))}, {"step": step, "seconds": 0.0})


def test_every_tensor_comes_back_with_its_bits_type_and_shape(tmp_path: Path) -> None:
    tensors = {
        "a.weight": torch.randn(3, 4),
        "a.count": torch.tensor(7),
        "half": torch.randn(5).to(torch.bfloat16),
        "odd": torch.tensor([float("nan"), float("-inf"), -0.0]),
        "turned": torch.randn(3, 4).t(),
    }
    save_checkpoint(tmp_path, Checkpoint(tensors, {"step": 3, "seconds": 1.5}))
    saved, _ = load_checkpoint(tmp_path)
    assert saved is not None
    assert (saved.state["step"], saved.state["seconds"]) == (3, 1.5)
    assert saved.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (saved.tensors[name].dtype, saved.tensors[name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(saved.tensors[name].nan_to_num(9), tensor.nan_to_num(9))


def test_an_optimisers_state_comes_back_without_a_pickle(tmp_path: Path) -> None:
    def step(network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        network(torch.ones(1, 3)).square().sum().backward()
        optimiser.step()

    def network() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        made = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
        return made, torch.optim.Adam(made.parameters(), lr=0.1)

    first, adam = network()
    for _ in range(3):
        step(first, adam)
    tensors = optimiser_tensors("optimiser.x", first, adam)
    assert {name.rsplit(".", 1)[1] for name in tensors} == {"step", "exp_avg", "exp_avg_sq"}
    assert len(tensors) == 12
    save_checkpoint(tmp_path, Checkpoint(tensors, {"step": 3, "seconds": 0.0}))
    saved, _ = load_checkpoint(tmp_path)
    assert saved is not None
    second, other = network()
    second.load_state_dict(first.state_dict())
    restore_optimiser("optimiser.x", second, other, saved.tensors)
    step(first, adam)
    step(second, other)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_there_is_none_yet(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) == (None, [])


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, at(step))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["000000020", "000000030"]
    saved, _ = load_checkpoint(tmp_path)
    assert saved is not None
    assert saved.state["step"] == 30
    assert saved.tensors["weight"].tolist() == [30, 30, 30]


@pytest.mark.parametrize(
    ("name", "place"), [("tensors.safetensors", 20), ("tensors.safetensors", -1), ("state.json", 9)]
)
def test_a_flipped_byte_sends_us_back_to_the_one_before_and_says_so(name: str, place: int, tmp_path: Path) -> None:
    for step in (10, 20):
        save_checkpoint(tmp_path, at(step))
    path = tmp_path / "checkpoints" / "000000020" / name
    data = bytearray(path.read_bytes())
    data[place] ^= 0x01
    path.write_bytes(bytes(data))
    saved, notices = load_checkpoint(tmp_path)
    assert saved is not None
    assert saved.state["step"] == 10
    assert "000000020" in notices[0]


def test_when_none_is_whole_it_says_so(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, at(10))
    (tmp_path / "checkpoints" / "000000010" / "state.json").write_text("{}")
    with pytest.raises(ModelError, match="no checkpoint is whole"):
        load_checkpoint(tmp_path)


def test_a_kill_while_saving_leaves_the_last_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, at(10))

    def killed(*arguments: object) -> None:
        raise SystemExit  # and, as after a kill, nothing is cleaned up

    for moment in ("write_synced", "sha256"):
        monkeypatch.setattr(checkpoint, moment, killed)
        monkeypatch.setattr("shutil.rmtree", lambda *arguments, **options: None)
        with pytest.raises(SystemExit):
            save_checkpoint(tmp_path, at(20))
        monkeypatch.undo()
        assert (tmp_path / "checkpoints" / ".000000020.tmp").is_dir()
        saved, notices = load_checkpoint(tmp_path)
        assert saved is not None
        assert (saved.state["step"], notices) == (10, [])
        save_checkpoint(tmp_path, at(10))  # and the leftovers are swept by the next one
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000010"]
    save_checkpoint(tmp_path, at(20))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["000000010", "000000020"]


@pytest.mark.parametrize("keep", [1, 2])
def test_a_kill_at_any_rename_or_removal_leaves_only_whole_ones_and_the_next_training_sweeps(
    keep: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """And, as after a kill, nothing is cleaned up."""

    for moment in range(20):
        run, calls = tmp_path / str(moment), [0]
        for step in (10, 20):
            save_checkpoint(run, at(step), keep)

        for place, name in ((Path, "rename"), (shutil, "rmtree")):
            monkeypatch.setattr(place, name, until(moment, calls, getattr(place, name), Killed))
        ended = False
        try:
            save_checkpoint(run, at(20), keep)  # the same step again: after a roll-back
            save_checkpoint(run, at(30), keep)
            ended = True
        except Killed:
            pass
        monkeypatch.undo()
        for folder in (run / "checkpoints").glob("[0-9]*"):
            assert sorted(path.name for path in folder.iterdir()) == ["state.json", "tensors.safetensors"]
        sweep(run)
        saved, notices = load_checkpoint(run)
        assert saved is not None
        assert (int(saved.state["step"]) in (20, 30), notices) == (True, [])
        assert not [path for path in (run / "checkpoints").iterdir() if path.name.startswith(".")]
        if ended:
            return
    raise AssertionError("never came to its end")


def until(
    moment: int, calls: list[int], real: Callable[..., object], killed: type[BaseException]
) -> Callable[..., object]:
    """A call that works so many times, all such calls counted together."""

    def call(*arguments: Any, **options: Any) -> object:
        calls[0] += 1
        if calls[0] > moment:
            raise killed
        return real(*arguments, **options)

    return call


def test_a_full_disk_leaves_the_last_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, at(10))
    real, left = os.fsync, [0]

    def full(handle: int) -> None:
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        real(handle)

    for calls in range(2):  # fails at the first, then at the second file
        left[0] = calls
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(tmp_path, at(20))
        monkeypatch.undo()
        saved, notices = load_checkpoint(tmp_path)
        assert saved is not None
        assert (saved.state["step"], notices) == (10, [])
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000010"]
