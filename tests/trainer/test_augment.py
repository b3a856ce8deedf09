"""Views of a sprite differ only in what may differ."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.augment import Augment, _turn_hue
from trainer.draws import Draws

MOVE = Augment(contrast=0, gain=0, hole_chance=0)
OFF = {"flip": 0.0, "shift": 0.0, "contrast": 0.0, "gain": 0.0, "hole_chance": 0.0}
STILL = Augment(**OFF)  # type: ignore[arg-type]


def draws(rows: int, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), rows)


@pytest.fixture
def sprites() -> Tensor:
    """Sixteen random sprites [16, 4, 32, 32] with soft alpha, far from the edge."""
    chance = torch.Generator().manual_seed(1)
    alpha = torch.rand(16, 1, 32, 32, generator=chance)
    rgba = torch.cat([torch.rand(16, 3, 32, 32, generator=chance) * alpha, alpha], dim=1)
    rgba[:, :, :8] = rgba[:, :, -8:] = rgba[:, :, :, :8] = rgba[:, :, :, -8:] = 0
    return rgba * 2 - 1


def test_with_everything_off_a_view_is_the_sprite(sprites: Tensor) -> None:
    assert torch.allclose(STILL(sprites, draws(16)), sprites, atol=1e-6)


def test_a_flip_is_a_mirror_image(sprites: Tensor) -> None:
    always = Augment(flip=1, shift=0, contrast=0, gain=0, hole_chance=0)
    assert torch.allclose(always(sprites, draws(16)), sprites.flip(3), atol=1e-6)
    half = Augment(flip=0.5, shift=0, contrast=0, gain=0, hole_chance=0)(sprites, draws(16))
    mirrored = [torch.allclose(view, sprite.flip(2), atol=1e-6) for view, sprite in zip(half, sprites, strict=True)]
    plain = [torch.allclose(view, sprite, atol=1e-6) for view, sprite in zip(half, sprites, strict=True)]
    assert all(a != b for a, b in zip(mirrored, plain, strict=True))
    assert 2 <= sum(mirrored) <= 14


def test_flips_and_shifts_only_move_pixels_by_at_most_an_eighth(sprites: Tensor) -> None:
    views = MOVE(sprites, draws(16, 3))
    assert not torch.equal(views, sprites)
    assert torch.allclose(views.flatten(2).sort(dim=2).values, sprites.flatten(2).sort(dim=2).values, atol=1e-6)
    seen = (views[:, 3] > -1).any(dim=0)
    assert not seen[:4].any()
    assert not seen[-4:].any()
    offsets = {
        int((view[3] > -1).any(dim=1).nonzero()[0]) - 8 for view in MOVE(sprites.repeat(20, 1, 1, 1), draws(320, 4))
    }
    assert offsets == set(range(-4, 5))


def test_what_is_shifted_in_is_transparent() -> None:
    full = torch.ones(64, 4, 32, 32)
    views = MOVE(full, draws(64))
    assert set(views.flatten().tolist()) == {-1.0, 1.0}
    assert (views == views[:, :1]).all()


def test_the_empty_canvas_stays_empty() -> None:
    assert torch.equal(Augment()(-torch.ones(8, 4, 32, 32), draws(8)), -torch.ones(8, 4, 32, 32))


@pytest.mark.parametrize("seed", range(5))
def test_colour_never_exceeds_alpha_and_alpha_is_not_recoloured(seed: int, sprites: Tensor) -> None:
    strong = Augment(flip=0, shift=0, contrast=0.9, gain=0.9, hole_chance=0)
    views = strong(sprites, draws(16, seed))
    assert not torch.allclose(views, sprites, atol=0.1)
    assert torch.allclose(views[:, 3], sprites[:, 3], atol=1e-6)
    assert (views[:, :3] <= views[:, 3:] + 1e-6).all()
    assert views.min() >= -1 - 1e-6


def test_contrast_pulls_towards_the_sprites_own_mean_and_gain_scales() -> None:
    pair = -torch.ones(1, 4, 2, 2)
    pair[0, 3, 0] = 1
    pair[0, :3, 0, 0], pair[0, :3, 0, 1] = 0.4 * 2 - 1, 0.6 * 2 - 1  # two greys around 0.5
    dark = [
        (Augment(flip=0, shift=0, contrast=0.5, gain=0, hole_chance=0)(pair, draws(1, seed)) + 1) / 2
        for seed in range(8)
    ]
    for view in dark:
        assert view[0, :3, 0].mean().item() == pytest.approx(0.5, abs=1e-5)
        assert 0.1 - 1e-5 <= (view[0, 0, 0, 1] - view[0, 0, 0, 0]).item() <= 0.3 + 1e-5
    for seed in range(8):
        view = (Augment(flip=0, shift=0, contrast=0, gain=0.2, hole_chance=0)(pair, draws(1, seed)) + 1) / 2
        ratio = (view[0, 0, 0, 0] / 0.4).item()
        assert 0.8 - 1e-5 <= ratio <= 1.2 + 1e-5
        assert view[0, 0, 0, 1].item() == pytest.approx(0.6 * ratio, abs=1e-5)


def test_a_hole_is_a_square_of_the_stated_side_and_chance() -> None:
    hollow = Augment(flip=0, shift=0, contrast=0, gain=0, hole=0.25, hole_chance=1)
    missing = (hollow(torch.ones(300, 4, 32, 32), draws(300))[:, 3] == -1).flatten(1).sum(dim=1)
    assert missing.max() == 64
    assert missing.min() >= 16  # at least half of each side lies inside
    usual = Augment(flip=0, shift=0, contrast=0, gain=0)(torch.ones(1000, 4, 32, 32), draws(1000))
    assert (usual == -1).any(dim=(1, 2, 3)).float().mean().item() == pytest.approx(0.3, abs=0.05)


def test_gradients_reach_the_generator_through_every_view() -> None:
    sprites = torch.zeros(16, 4, 32, 32, requires_grad=True)
    Augment()(sprites, draws(16)).sum().backward()  # type: ignore[no-untyped-call]
    assert sprites.grad is not None
    assert (sprites.grad.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_views_depend_on_the_draws_alone(sprites: Tensor) -> None:
    assert torch.equal(Augment()(sprites, draws(16, 5)), Augment()(sprites, draws(16, 5)))
    assert not torch.equal(Augment()(sprites, draws(16, 5)), Augment()(sprites, draws(16, 6)))


def opaque(*colours: tuple[float, float, float]) -> Tensor:
    """Sprites of one colour each, RGB 0–1: [n, 4, 8, 8]."""
    rgba = torch.ones(len(colours), 4, 8, 8)
    rgba[:, :3] = torch.tensor(colours)[:, :, None, None]
    return rgba * 2 - 1


def test_the_hue_turns_around_grey_by_the_angle() -> None:
    red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]
    third = torch.tensor([2 * torch.pi / 3])
    assert torch.allclose(_turn_hue(red, third)[0, :, 0, 0], torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)
    assert torch.allclose(_turn_hue(red, -third)[0, :, 0, 0], torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)
    assert torch.allclose(_turn_hue(red, 0 * third), red)
    grey = torch.full((1, 3, 1, 1), 0.4)
    assert torch.allclose(_turn_hue(grey, third / 2), grey, atol=1e-6)


def test_the_hue_turns_at_most_as_far_as_stated_and_brightness_stays() -> None:
    import colorsys

    turned = Augment(**OFF, hue=10.0)  # type: ignore[arg-type]
    before = (0.6, 0.4, 0.3)
    views = (turned(opaque(*[before] * 200), draws(200))[:, :3, 0, 0] + 1) / 2
    hues = [
        (colorsys.rgb_to_hsv(*view.tolist())[0] - colorsys.rgb_to_hsv(*before)[0] + 0.5) % 1 - 0.5 for view in views
    ]
    assert 9 < 360 * max(hues) < 11
    assert -11 < 360 * min(hues) < -9
    assert torch.allclose(views.mean(dim=1), torch.full((200,), sum(before) / 3), atol=1e-5)


def test_on_a_backdrop_a_sprite_is_rgb_and_what_is_transparent_shows_one_random_colour() -> None:
    shown = Augment(**OFF, backdrop=True)  # type: ignore[arg-type]
    half = opaque((0.2, 0.4, 0.6), (0.2, 0.4, 0.6))
    half[:, :, :, 4:] = -1  # the right half is transparent
    views = (shown(half, draws(2)) + 1) / 2
    assert views.shape == (2, 3, 8, 8)
    assert torch.allclose(views[:, :, :, :4], (half[:, :3, :, :4] + 1) / 2, atol=1e-6)
    backdrop = views[:, :, :, 4:].flatten(2)
    assert torch.equal(backdrop, backdrop[:, :, :1].expand_as(backdrop))
    assert not torch.allclose(backdrop[0], backdrop[1])


def test_a_wrong_alpha_shows_on_the_backdrop() -> None:
    shown = Augment(**OFF, backdrop=True)  # type: ignore[arg-type]
    black, nothing = opaque((0, 0, 0)), -torch.ones(1, 4, 8, 8)
    assert (shown(black, draws(1)) == -1).all()
    assert (shown(nothing, draws(1)) > -1).any()


def test_a_share_of_the_rows_gets_the_views_that_it_would_get_in_the_whole(sprites: Tensor) -> None:
    from trainer.distributed import Group

    strong = Augment(hue=10, backdrop=True)
    whole = strong(sprites, draws(16))
    for rank in range(3):
        group = Group(rank, 3)
        share = Draws(torch.Generator().manual_seed(0), 16, group)
        assert torch.equal(strong(group.rows_of(sprites), share), group.rows_of(whole))
