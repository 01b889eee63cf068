"""Which device carries out the numerics, resolved once and said in words."""

from __future__ import annotations

import os
from typing import Literal

import torch

from fairneuron_core.errors import SettingError

Device = Literal["auto", "cpu", "gpu", "cuda", "mps"]


def resolve_device(choice: str = "auto") -> str:
    """Return the torch device for `auto`, `gpu` (cuda, else mps), `cpu`, `cuda` or `mps`.

    `auto` falls back to the CPU; asking for a GPU that is not there raises SettingError.
    """
    found = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else None
    if choice == "cpu" or (choice == "auto" and found is None):
        return "cpu"
    if choice == "auto" or (choice == "gpu" and found):
        return str(found)
    if choice == found:
        return choice
    if choice in ("gpu", "cuda", "mps"):
        raise SettingError(f"Device '{choice}' was asked for, but torch finds no such device here: choose auto or cpu.")
    raise SettingError(f"Unknown device '{choice}': choose auto, gpu or cpu.")


def device_words() -> str:
    """Say in one sentence what was found on this machine."""
    cores = f"{os.cpu_count()} CPU cores"
    if torch.cuda.is_available():
        return f"Found {torch.cuda.get_device_name(0)} (CUDA) and {cores}; auto uses the GPU."
    if torch.backends.mps.is_available():
        return f"Found Apple's GPU (MPS) and {cores}; auto uses the GPU."
    return f"No GPU found by torch {torch.__version__}; auto uses the {cores}."
