"""Random weights that are informative: no bias is zero, no norm weight is one, attention is neither uniform nor
certain.

A name and a shape give the values, through the raw stream of PCG64 alone (which numpy keeps stable), so that the same
weights come back on every machine and with every version of torch and numpy.

    pip install numpy
"""

import zlib

import numpy as np

# Standard deviation of x·wᵀ for an x of rms 1. Queries and keys large enough that scores spread by 2 or 3, the head by
# 2, the rest near 1.
GAINS = {"q_proj": 1.6, "k_proj": 1.6, "v_proj": 1.0, "o_proj": 1.0, "gate_proj": 1.5, "up_proj": 1.0, "down_proj": 1.0,
         "lm_head": 2.0}


def uniform(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values in [-1, 1), a function of `key` alone."""
    raw = np.random.PCG64(zlib.crc32(key.encode())).random_raw(int(np.prod(shape)))
    return ((raw >> np.uint64(40)).astype(np.float64) / 2**23 - 1).reshape(shape)


def informative(model: str, name: str, shape: tuple[int, ...], shifted_norms: bool, tied: bool) -> np.ndarray:
    """The f32 value of parameter `name`. `shifted_norms`: a norm multiplies by 1 + weight, as Gemma's does."""
    values = uniform(f"{model}/{name}", shape)
    if "vision_tower" in name or "multi_modal" in name:
        values = 0.3 * values  # no word of the text passes here
    elif name.endswith("norm.weight"):
        # Magnitudes from 0.5 to 1.9, one in four negative: no element may be forgotten, and an average of them is far
        # from 1.
        norm = 1.2 + 0.7 * values
        norm = np.where(uniform(f"{model}/{name}/sign", shape) < -0.5, -norm, norm)
        values = norm - 1 if shifted_norms else norm
    elif name.endswith(".bias"):
        values = 0.5 * values
    elif "embed_tokens" in name:
        values = values * np.sqrt(3) * (GAINS["lm_head"] / np.sqrt(shape[1]) if tied else 0.3)
    else:
        gain = next(g for part, g in GAINS.items() if part in name)
        values = values * np.sqrt(3) * gain / np.sqrt(shape[1])
    return values.astype(np.float32)


def token_ids(model: str, vocab: int, tokens: int) -> list[int]:
    """A prompt: random ids, the last repeating the third, so that equal tokens stand at different positions."""
    ids = [int(i) for i in np.floor((uniform(f"{model}/ids", (tokens,)) + 1) / 2 * vocab)]
    ids[-1] = ids[2]
    return ids
