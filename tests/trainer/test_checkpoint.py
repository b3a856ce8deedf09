"""A checkpoint is whole, or it isn't there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from asset_gen.errors import ModelError
from trainer import checkpoint
from trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def at(step: int) -> Checkpoint:
    return Checkpoint({"weight": torch.full((3,), float(step))}, {"step": step, "seconds": 0.0})


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, at(step))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["000000020", "000000030"]
    saved, _ = load_checkpoint(tmp_path)
    assert saved is not None
    assert saved.state["step"] == 30
    assert saved.tensors["weight"].tolist() == [30, 30, 30]


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
def test_a_flipped_byte_sends_us_back_to_the_one_before_and_says_so(name: str, tmp_path: Path) -> None:
    for step in (10, 20):
        save_checkpoint(tmp_path, at(step))
    path = tmp_path / "checkpoints" / "000000020" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
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


def test_a_full_disk_leaves_the_last_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, at(10))
    real, left = checkpoint.os.fsync, [0]

    def full(handle: int) -> None:
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        real(handle)

    for calls in range(2):  # fails at the first, then at the second file
        left[0] = calls
        monkeypatch.setattr(checkpoint.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(tmp_path, at(20))
        monkeypatch.undo()
        saved, notices = load_checkpoint(tmp_path)
        assert saved is not None
        assert (saved.state["step"], notices) == (10, [])
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000010"]
