"""What a file of no known format looks like, in one sentence that says how to bring the network all the same."""

from __future__ import annotations

from fairneuron_core.formats.archive import names_in, open_archive
from fairneuron_core.formats.network_file import RefusedFile

_KNOWN = "bring safetensors, a torch state_dict, ONNX, Keras (.keras or .h5) or skops"
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_STARTS = (
    (b"\x93NUMPY", "is a single array of numpy"),
    (b"\x1f\x8b", "is packed by gzip: unpack it first, or"),
    (b"BZh", "is packed by bzip2: unpack it first, or"),
    (b"\xfd7zXZ", "is packed by xz: unpack it first, or"),
    (b"7z\xbc\xaf", "is packed by 7-Zip: unpack it first, or"),
    (b"Rar!", "is packed by RAR: unpack it first, or"),
    (b"GGUF", "is a language model (GGUF), not a dense network"),
    (b"%PDF", "is a PDF document"),
    (b"PAR1", "is a Parquet table, not a network"),
    (b"{", "is a text in JSON and holds no weights that are read here"),
    (b"<", "is a text in HTML or XML, perhaps a page that was saved instead of the file"),
)


def why_unknown(content: bytes) -> str:
    """Return the sentence for content that no format recognises; never raises."""
    if not content:
        return "The file is empty: save the network again."
    if content[:2] in _PICKLES or _old_pickle(content):
        return (
            "The file is a bare Python pickle, which could run code and is not opened: save torch networks by "
            "torch.save(model.state_dict(), ...) and scikit-learn ones by skops.io.dump or as ONNX."
        )
    if content[:2] == b"PK":
        return _archive(content)
    if content[4:8] == b"TFL3":
        return f"The file is a TensorFlow Lite model, which is not read: {_KNOWN}."
    for start, words in _STARTS:
        if content.startswith(start):
            return f"The file {words}: {_KNOWN}." if not words.endswith("or") else f"The file {words} {_KNOWN}."
    return f"The file is no network of a known format, or damaged at its start: {_KNOWN}."


def _old_pickle(content: bytes) -> bool:
    """Pickles of the text protocols start with an instruction and end with a full stop."""
    return content[:1] in (b"c", b"(", b"]", b"}") and content.rstrip()[-1:] == b"." and b"\n" in content[:200]


def _archive(content: bytes) -> str:
    names = names_in(content)
    try:
        open_archive(content)
    except RefusedFile as refusal:
        return str(refusal)
    if any(name.endswith(".npy") for name in names):
        return f"The file is an archive of numpy arrays (.npz), which says nothing of their order: {_KNOWN}."
    if any(name.endswith((".pkl", ".pickle")) for name in names):
        return (
            f"The file is a zip archive with a Python pickle in it, which could run code and is not opened: {_KNOWN}."
        )
    return f"The file is a zip archive without a network of a known format in it: {_KNOWN}."
