"""Which type is an untyped sprite, and which typed ones lie in the wrong folder?

Two logistic regressions by L-BFGS, one on the features of a frozen EfficientNet-Lite0 (1,280 channels, the figure
enlarged to 224 pixels on white), one on its colours and size; the geometric mean of their chances says more than one
regression on both [measured: 0.40 against 0.37 on veekun]. A second for some twenty sprites on a CPU core. Without
outside networks: the small type classifier that every training has. Where the set's own types show that files
numbered one after another share them, names take part (``trainer.name_order``).

Misfiled sprites are found by confident learning (Northcutt et al. 2021, arXiv:1911.00068): every sprite is judged by a
model that hasn't seen it, and those that it trusts least to be what their folder says come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from asset_gen import pixels
from asset_gen.errors import SpriteError
from asset_gen.images import Rgba
from asset_gen.palette import oklab
from trainer.classifier import fit
from trainer.judge import EfficientNetFeatures
from trainer.name_order import neighbours_say, places_of

Stack = NDArray[np.uint8]  # [n, s, s, 4], straight alpha
Probabilities = NDArray[np.float64]  # [n, types]
Model = Callable[[NDArray[np.int64], NDArray[np.int64]], Probabilities]
"""Rows to learn from, rows to judge → p(type | sprite) of the latter."""

FOLDS = 5
SHOWN, SMALL = 112, 32
"""Side of the square in which a figure is shown: to EfficientNet, to the network of our own."""
DECAY = 0.1  # L2 penalty on standardised features; from 0.03 to 0.3 it makes no difference that counts
STEPS = 60  # of L-BFGS
FIRST_SHARE = 0.65
"""Of a sprite with two types; the second one's is the rest."""
NAME_WEIGHTS = (0.0, 0.5, 1.0)
"""How much what names say counts beside what pictures say; chosen by the likelihood of the types given."""
LISTED = 0.1
"""Share of a set that is listed as misfiled at most."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A typed sprite that looks like another type."""

    row: int
    instead: int
    """Column of the type that it looks like."""
    given: float
    """Probability of the type it is filed under, 0–1, by a model that hasn't seen it."""
    likely: float
    """Probability of the type it looks like."""


def shown(pictures: Sequence[Rgba], side: int) -> Stack:
    """Figures cut out and enlarged (nearest neighbour) or reduced (areas) to fill squares of ``side``, centred."""
    stack = np.zeros((len(pictures), side, side, 4), np.uint8)
    for row, picture in enumerate(pictures):
        left, top, right, bottom = pixels.content_box(picture) or (0, 0, 1, 1)
        figure = picture[top:bottom, left:right]
        scale = side / max(figure.shape[:2])
        width, height = (max(1, round(length * scale)) for length in (right - left, bottom - top))
        if scale < 1:
            figure = pixels.shrink_area(figure, width, height)
        else:
            figure = np.asarray(Image.fromarray(figure, "RGBA").resize((width, height), Image.Resampling.NEAREST))
        y, x = (side - height) // 2, (side - width) // 2
        stack[row, y : y + height, x : x + width] = figure
    return stack


def colour_features(pictures: Sequence[Rgba]) -> NDArray[np.float32]:
    """[n, 284]: what a figure's colours and size tell.

    Roots of the shares of 16 hues (by chroma), of 4×7×7 cells of OKLab and of 4×4×4 of RGB among visible pixels; mean
    and spread of lightness and chroma; width, height, area and mean alpha.
    """
    rows = []
    for picture in pictures:
        seen = picture[picture[..., 3] > 0][:, :3]
        seen = seen if len(seen) else np.zeros((1, 3), np.uint8)
        lightness, green, blue = oklab(seen).T
        chroma = np.hypot(green, blue)
        angle = ((np.arctan2(blue, green) + np.pi) / (2 * np.pi) * 16).astype(np.int64) % 16
        cells = [np.clip(axis, 0, most).astype(np.int64) for axis, most in
                 ((lightness * 4, 3), ((green + 0.3) / 0.6 * 7, 6), ((blue + 0.3) / 0.6 * 7, 6))]  # fmt: skip
        counts = [
            np.bincount(angle, np.minimum(chroma / 0.1, 1), 16),
            np.bincount(cells[0] * 49 + cells[1] * 7 + cells[2], minlength=196),
            np.bincount((seen >> 6).astype(np.int64) @ np.array([16, 4, 1]), minlength=64),
        ]
        left, top, right, bottom = pixels.content_box(picture) or (0, 0, 1, 1)
        width, height = right - left, bottom - top
        rows.append(
            [
                *np.sqrt(np.concatenate(counts) / len(seen)),
                *(lightness.mean(), lightness.std(), chroma.mean(), chroma.std()),
                *(np.log2(width), np.log2(height), len(seen) / (width * height), picture[..., 3].mean() / 255),
            ]
        )
    return np.array(rows, np.float32)


def pretrained_features(pictures: Sequence[Rgba]) -> NDArray[np.float32]:
    """[n, 1280] of EfficientNet-Lite0.

    Raises:
        DeviceError: the network isn't installed (extra ``pretrained``).
    """
    return EfficientNetFeatures("lite0").features(shown(pictures, SHOWN))


def together(one: Model, other: Model) -> Model:
    """The geometric mean of two models' chances, summing to 1."""

    def judged(learnt: NDArray[np.int64], asked: NDArray[np.int64]) -> Probabilities:
        product = np.sqrt(one(learnt, asked) * other(learnt, asked))
        return np.asarray(product / product.sum(axis=1, keepdims=True))

    return judged


def pretrained_model(network: NDArray[np.float32], colours: NDArray[np.float32], targets: NDArray[np.float32]) -> Model:
    """What ``judge`` uses: from ``pretrained_features`` and ``colour_features``."""
    return together(regression(network, targets), regression(colours, targets))


def weighed(pictures: Probabilities, names: Probabilities, weight: float) -> Probabilities:
    """What pictures and names say together, [n, types]; at a weight of 0 what pictures say."""
    product = pictures * names**weight
    return np.asarray(product / product.sum(axis=1, keepdims=True))


def name_weight(pictures: Probabilities, names: Probabilities, labels: NDArray[np.int64]) -> float:
    """The one of ``NAME_WEIGHTS`` with which sprites are likeliest what they are said to be.

    Both must be judged by models that hadn't seen the sprites, or names would always win.
    """
    rows = np.arange(len(labels))

    def likelihood(weight: float) -> float:
        return float(np.log(weighed(pictures, names, weight)[rows, labels] + 1e-12).mean())

    return max(NAME_WEIGHTS, key=likelihood)


def with_names(model: Model, names: Sequence[str], targets: NDArray[np.float32], labels: NDArray[np.int64]) -> Model:
    """A model that also asks names, as far as the types given show that they tell something.

    Args:
        model: of pictures.
        names: [n], of files, without their folders.
        targets: [n, types], as of ``targets_of``.
        labels: [m]: the types of the first m rows, the typed ones.
    """
    places, types = places_of(names), targets.shape[1]

    def of_names(learnt: NDArray[np.int64], asked: NDArray[np.int64]) -> Probabilities:
        return neighbours_say(places, targets, learnt, asked)

    weight = name_weight(out_of_fold(model, labels, types), out_of_fold(of_names, labels, types), labels)

    def judged(learnt: NDArray[np.int64], asked: NDArray[np.int64]) -> Probabilities:
        return weighed(model(learnt, asked), of_names(learnt, asked), weight)

    return judged if weight else model


def targets_of(first: NDArray[np.int64], types: int, second: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """What a model shall say of sprites: [n, types], all of it the first type, or shared with a second one."""
    targets = np.zeros((len(first), types), np.float32)
    rows = np.arange(len(first))
    np.add.at(targets, (rows, first), FIRST_SHARE)
    np.add.at(targets, (rows, first if second is None else second), 1 - FIRST_SHARE)
    return targets


def regression(features: NDArray[np.float32], targets: NDArray[np.float32], decay: float = DECAY) -> Model:
    """Multinomial logistic regression on standardised features [n, d]; of ``targets`` [n, types] those learnt count."""
    types = targets.shape[1]

    def judged(learnt: NDArray[np.int64], asked: NDArray[np.int64]) -> Probabilities:
        mean, spread = features[learnt].mean(axis=0), features[learnt].std(axis=0) + 1e-6
        x = torch.from_numpy((features[learnt] - mean) / spread)
        y = torch.from_numpy(targets[learnt])
        weight = torch.zeros(types, x.shape[1], requires_grad=True)
        bias = torch.zeros(types, requires_grad=True)
        optimiser = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            optimiser.zero_grad()
            value = F.cross_entropy(F.linear(x, weight, bias), y) + decay * weight.square().sum() / 2
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            logits = F.linear(torch.from_numpy((features[asked] - mean) / spread), weight, bias)
        return np.asarray(torch.softmax(logits.double(), dim=1).numpy())

    return judged


def own_network(pictures: Sequence[Rgba], targets: NDArray[np.float32], seed: int = 0) -> Model:
    """The type classifier of ``trainer.classifier``, trained anew on figures of 32 pixels: a minute on a CPU."""
    stack = torch.from_numpy(pixels.to_network(shown(pictures, SMALL)))
    wanted = torch.from_numpy(targets)

    def judged(learnt: NDArray[np.int64], asked: NDArray[np.int64]) -> Probabilities:
        network = fit(stack[learnt], wanted[learnt], seed)
        with torch.inference_mode():
            parts = [network(stack[asked[start : start + 256]]) for start in range(0, len(asked), 256)]
        return np.asarray(torch.softmax(torch.cat(parts).double(), dim=1).numpy())

    return judged


def folds_of(labels: NDArray[np.int64], folds: int, seed: int = 0) -> NDArray[np.int64]:
    """[n]: the fold of every sprite, every type spread evenly."""
    order = np.lexsort((np.random.default_rng(seed).permutation(len(labels)), labels))
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def out_of_fold(model: Model, labels: NDArray[np.int64], types: int, folds: int | None = None) -> Probabilities:
    """p(type | sprite) of every sprite, each by a model that has seen the other folds only.

    Returns: [n, types]."""
    folds = folds or FOLDS
    fold = folds_of(labels, folds)
    judged = np.zeros((len(labels), types))
    for number in range(folds):
        judged[fold == number] = model(np.flatnonzero(fold != number), np.flatnonzero(fold == number))
    return judged


def ranked(judged: Probabilities, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows, the least trusted first: by the probability of the type given."""
    return np.argsort(judged[np.arange(len(labels)), labels], kind="stable")


def suspects(
    judged: Probabilities,
    labels: NDArray[np.int64],
    second: NDArray[np.int64] | None = None,
    pictures: Probabilities | None = None,
) -> list[Suspect]:
    """Sprites that are likely misfiled, the likeliest first; at most a tenth of the set.

    A type that isn't given, also not as ``second``, must be the likeliest, and as likely as it is on the mean for its
    own sprites; or as likely as that by ``pictures`` alone, for a sprite whose name stands alone.
    """
    second = labels if second is None else second
    pictures = judged if pictures is None else pictures
    types = judged.shape[1]
    rows = np.arange(len(labels))
    own = judged[rows, labels]

    def usual(p: Probabilities) -> NDArray[np.float64]:
        """[types]: how likely each is on the mean for its own sprites."""
        mine = p[rows, labels]
        return np.array([mine[labels == kind].mean() if (labels == kind).any() else 1.0 for kind in range(types)])

    sure = (judged >= usual(judged)) | (pictures >= usual(pictures))
    found = []
    for row in ranked(judged, labels)[: max(1, int(LISTED * len(labels)))].tolist():
        best = int(judged[row].argmax())
        if best not in (labels[row], second[row]) and sure[row, best]:
            found.append(Suspect(row, best, float(own[row]), float(judged[row, best])))
    return found


def check_typed(labels: Sequence[str], where: str) -> None:
    """Raises SpriteError where nothing can be learnt from the types of a set."""
    if len(set(labels)) < 2 or len(labels) < 2 * FOLDS:
        raise SpriteError(
            f"{where}: {len(labels)} sprites of {len(set(labels))} types teach nothing. "
            f"Give at least {2 * FOLDS} sprites of two types, a folder per type."
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found."""

    types: list[str]
    """Labels as written, in name order; the columns of ``probabilities``."""
    probabilities: Probabilities
    """p(type | sprite) of the untyped sprites: [n, types]."""
    accuracy: float
    """Share of typed sprites that models which hadn't seen them got right."""
    suspects: list[Suspect]
    """Typed sprites that are likely misfiled; columns are those of ``types``."""


def judge(
    typed: Sequence[Rgba],
    labels: Sequence[tuple[str, ...]],
    untyped: Sequence[Rgba],
    pretrained: bool = True,
    names: Sequence[str] | None = None,
) -> Judgement:
    """Learn from typed sprites (one or two types each) what types look like, and judge untyped ones and themselves.

    ``names``: of the typed files, without their folders; None: pictures alone. Untyped sprites are judged by pictures
    alone in any case: another folder's numbers tell nothing of this one's types, and types can't show whether they do.

    Raises:
        SpriteError: too few typed sprites, or one type only.
        DeviceError: ``pretrained``, and EfficientNet-Lite0 isn't installed.
    """
    check_typed([own[0] for own in labels], "--like")
    types = sorted({label for own in labels for label in own})
    first, second = (np.array([types.index(own[place]) for own in labels], np.int64) for place in (0, -1))
    pictures = [*typed, *untyped]
    targets = np.concatenate([targets_of(first, len(types), second), np.zeros((len(untyped), len(types)), np.float32)])
    if pretrained:
        model = pretrained_model(pretrained_features(pictures), colour_features(pictures), targets)
    else:
        model = own_network(pictures, targets)
    alone = out_of_fold(model, first, len(types))
    judged = alone
    if names is not None and (named := with_names(model, names, targets[: len(typed)], first)) is not model:
        judged = out_of_fold(named, first, len(types))
    rows = np.arange(len(pictures))
    hits = alone.argmax(axis=1) == first
    asked = rows[len(typed) :]
    probabilities = model(rows[: len(typed)], asked) if len(asked) else np.zeros((0, len(types)))
    return Judgement(types, probabilities, float(hits.mean()), suspects(judged, first, second, alone))
