"""Which latent belongs to (seed, type, index)?

A counter-based generator (Philox 4×64, Salmon et al. 2011) keyed by seed and type: row ``index`` is the same on any
machine, in any batch, whatever was drawn before. Normal deviates by Box–Muller from the raw bits, since NumPy keeps
raw bits, but not ``standard_normal``, equal between versions.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

WORDS_A_COUNT = 4  # 64-bit words that Philox makes from one counter value


def latents(seed: int, kind: str, indices: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Standard normal float32 [n, size], one row for each of ``indices`` [n].

    ``kind`` is the type's slug, or "" for a generator without types.
    """
    words = _words(f"{seed}/{kind}", indices, -(-size // WORDS_A_COUNT))
    uniform = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    radius = np.sqrt(-2 * np.log1p(-uniform[:, 0::2]))
    angle = 2 * np.pi * uniform[:, 1::2]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return normal.reshape(words.shape)[:, :size].astype(np.float32)


def chances(seed: int, kind: str, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n], above 0 and below 1: by what luck each candidate is accepted; independent of its latent."""
    words = _words(f"{seed}/{kind}/accept", indices, 1)[:, 0]  # a slug has no slash, so no latents have this key
    return np.asarray(((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def _words(key: str, indices: NDArray[np.int64], counts_a_row: int) -> NDArray[np.uint64]:
    """Random bits [n, 4 · counts_a_row]."""
    digest = sha256(key.encode()).digest()
    words = np.empty((len(indices), counts_a_row * WORDS_A_COUNT), np.uint64)
    breaks = np.flatnonzero(np.diff(indices) != 1) + 1
    for rows in np.split(np.arange(len(indices)), breaks):  # one stream for each run of consecutive indices
        if len(rows):
            key_words = np.frombuffer(digest[:16], "<u8")
            stream = np.random.Philox(key=key_words, counter=int(indices[rows[0]]) * counts_a_row)
            words[rows] = stream.random_raw(len(rows) * words.shape[1]).reshape(len(rows), -1)
    return words
