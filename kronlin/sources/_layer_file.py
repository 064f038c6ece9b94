"""The content of a file of layers: which arrays there are, what they are called, and what the text says."""

import json
from collections.abc import Mapping
from typing import Any

from kronlin.arrays import Array, to_numpy
from kronlin.curvature import LayerStatistics
from kronlin.sources._source import Collected, checked_collected
from kronlin.storage import FileFormatError

FORMAT, VERSION = "kronlin layers", 1
_GRADIENT = "gradient"
_KEYS: dict[str, Any] = {"format": str, "version": int, "n": int, "loss": (int, float), "layers": list}


def to_content(layers: tuple[LayerStatistics, ...], gradient: Array, loss: float) -> tuple[str, dict[str, Array]]:
    """Return the text and the arrays, on NumPy, of what a source handed over."""
    names = [layer.name for layer in layers]
    text = {"format": FORMAT, "version": VERSION, "n": layers[0].n, "loss": loss, "layers": names}
    arrays = {_GRADIENT: to_numpy(gradient)}
    for j, layer in enumerate(layers):
        for name, array in zip(_names(j), (layer.inputs, layer.output_gradients), strict=True):
            arrays[name] = to_numpy(array)
    return json.dumps(text, allow_nan=False), arrays


def from_content(text: str, arrays: Mapping[str, Array]) -> Collected:
    """Return layers, gradient and loss, after checking everything that the text announces.

    Raises:
        FileFormatError: something is missing, is too much, or does not fit.
    """
    told = _checked_text(text)
    titles = told["layers"]
    due = [_GRADIENT, *(name for j in range(len(titles)) for name in _names(j))]
    missing, unknown = [name for name in due if name not in arrays], [name for name in arrays if name not in due]
    if missing or unknown:
        finding = f"lacks {_shown(missing)}" if missing else f"also holds {_shown(unknown)}"
        raise FileFormatError(f"it {finding}: with {len(titles)} layers in the metadata its arrays are {_shown(due)}")
    try:
        layers = tuple(_layer(j, title, told["n"], arrays) for j, title in enumerate(titles))
        return checked_collected(layers, arrays[_GRADIENT], told["loss"])
    except FileFormatError:
        raise
    except (TypeError, ValueError) as error:
        raise FileFormatError(str(error)) from error


def _layer(j: int, title: str | None, n: int, arrays: Mapping[str, Array]) -> LayerStatistics:
    inputs, gradients = _names(j)
    for name in (inputs, gradients):
        shape = tuple(arrays[name].shape)
        if shape[:1] != (n,):
            raise FileFormatError(f"{name} has shape {shape}, where (n, ...) with n = {n} is expected")
    try:
        return LayerStatistics(arrays[inputs], arrays[gradients], title)
    except ValueError as error:
        raise FileFormatError(f"{inputs} and {gradients}: {error}") from error


def _checked_text(text: str) -> dict[str, Any]:
    """Return what the text says."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise FileFormatError(f"its metadata is no JSON: {error}") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise FileFormatError(f'its metadata is {text[:200]!r}, where an object with "format": "{FORMAT}" is expected')
    for key, wanted in _KEYS.items():
        if not isinstance(told.get(key), wanted) or isinstance(told[key], bool):
            raise FileFormatError(
                f"its metadata has {key} = {told.get(key)!r}; expected are a version and n (integers), the loss (a "
                "number) and layers (a list with a name or null for each)"
            )
    if told["version"] != VERSION:
        raise FileFormatError(
            f"it has version {told['version']} of the format, and this kronlin reads version {VERSION}: update kronlin"
        )
    if not all(title is None or isinstance(title, str) for title in told["layers"]):
        raise FileFormatError(
            f"its metadata has layers = {told['layers']!r}: a name or null for each layer is expected"
        )
    return told


def _names(j: int) -> tuple[str, str]:
    """What the arrays of a layer are called."""
    return f"layers.{j}.inputs", f"layers.{j}.output_gradients"


def _shown(names: list[str]) -> str:
    """A few names in full, of many the first."""
    return ", ".join(names[:7]) + (f", … ({len(names)} in all)" if len(names) > 7 else "")
