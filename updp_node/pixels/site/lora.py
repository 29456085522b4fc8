"""Low-rank changes of a pipeline's weights, added once when it is loaded.

Done here in plain torch: every tensor must find its place, and no further library reads them.

References
----------
Hu et al., LoRA, arXiv 2106.09685: W' = W + scale * (alpha / rank) * B A.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from updp_node.pixels.site.strict import UntrustedFileError

if TYPE_CHECKING:
    import torch

_KEY = re.compile(
    r"(?P<part>unet|text_encoder|transformer)\.(?P<module>.+?)"
    r"\.(?P<side>lora_A|lora_B|lora\.down|lora\.up|lora_linear_layer\.down|lora_linear_layer\.up)"
    r"(?:\.default)?\.weight|(?P<of>.+)\.alpha"
)
_DOWN = frozenset({"lora_A", "lora.down", "lora_linear_layer.down"})
_PROCESSOR = re.compile(r"\.processor\.(to_q|to_k|to_v|to_out)_lora\.(down|up)\.weight$")


def add_lora(
    parts: Mapping[str, torch.nn.Module], tensors: Mapping[str, torch.Tensor], *, scale: float
) -> int:
    """Add low-rank changes to the weights of a pipeline.

    Parameters
    ----------
    parts : Mapping[str, torch.nn.Module]
        ``unet`` or ``transformer``, ``text_encoder``.
    tensors : Mapping[str, torch.Tensor]
        In the names that diffusers and PEFT write.
    scale : float

    Returns
    -------
    int
        How many weights were changed.

    Raises
    ------
    UntrustedFileError
        A tensor has no place, no partner, or another shape than its place.
    """
    downs, ups, alphas = _sort(tensors)
    if not downs or set(downs) != set(ups) or not set(alphas) <= set(downs):
        raise UntrustedFileError("LoRA tensors without a partner")
    for (part, module), down in downs.items():
        weight = _find_weight(parts, part, module)
        rank = down.shape[0]
        factor = scale * alphas.get((part, module), float(rank)) / rank
        change = ups[part, module].float().flatten(1) @ down.float().flatten(1)
        if change.numel() != weight.numel() or change.shape[0] != weight.shape[0]:
            raise UntrustedFileError("a LoRA tensor of another shape than its place")
        weight.data = (weight.data.float() + factor * change.reshape(weight.shape)).to(weight.dtype)
    return len(downs)


_Place = tuple[str, str]


def _sort(
    tensors: Mapping[str, torch.Tensor],
) -> tuple[dict[_Place, torch.Tensor], dict[_Place, torch.Tensor], dict[_Place, float]]:
    """The two matrices, and the alpha where there is one, of each place."""
    downs: dict[_Place, torch.Tensor] = {}
    ups: dict[_Place, torch.Tensor] = {}
    alphas: dict[_Place, float] = {}
    for name, tensor in tensors.items():
        found = _KEY.fullmatch(_PROCESSOR.sub(r".\1.lora.\2.weight", name))
        if found is None:
            raise UntrustedFileError("a LoRA tensor of an unknown name")
        if found["of"] is not None:
            part, _, module = found["of"].partition(".")
            alphas[part, module] = float(tensor.item())
            continue
        if tensor.ndim not in (2, 4):
            raise UntrustedFileError("a LoRA tensor of an odd shape")
        (downs if found["side"] in _DOWN else ups)[found["part"], found["module"]] = tensor
    return downs, ups, alphas


def _find_weight(parts: Mapping[str, torch.nn.Module], part: str, module: str) -> torch.Tensor:
    from torch.nn import Parameter  # noqa: PLC0415 - torch only when needed

    try:
        weight = parts[part].get_submodule(module).weight
    except (KeyError, AttributeError):
        weight = None
    if not isinstance(weight, Parameter):
        raise UntrustedFileError("a LoRA tensor for a place that is not in the model")
    return weight
