"""`fairneuron model`: check a network file of any tool, map its inputs, bring it in, take one out as another format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.cli.output import writable, write_file
from fairneuron_core.errors import DataError, ModelError, NotFoundError, SettingError
from fairneuron_core.workspace import Workspace, open_workspace

REFUSED = 2
FORMS = ("onnx", "safetensors", "state_dict")
_HELP = {
    "check": "open FILE and say what it holds; with --data also how it does there",
    "mapping": "print the guessed input mapping as JSON, to edit and give with --mapping",
    "import": "keep the network in the workspace",
    "export": "write a stored network (its id in place of FILE) with --format to --out",
    "predictions": "bring scores or decisions instead of a network, as a table",
}


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "actions:\n" + "\n".join(f"  {name:12} {words}" for name, words in _HELP.items())
    parser.add_argument("action", choices=tuple(_HELP))
    parser.add_argument("file", metavar="FILE", help="network file; of predictions a table; of export a stored id")
    parser.add_argument("--data", metavar="NAME", help="built-in name, stored id or file of the data set")
    parser.add_argument("--mapping", metavar="FILE", help="how columns become inputs, as `model mapping` prints it")
    parser.add_argument(
        "--activation", metavar="NAME", help="answer where the file leaves the activation open: relu, ..."
    )
    parser.add_argument(
        "--head", metavar="NAME", help="answer where the file leaves the output open: sigmoid, logits, ..."
    )
    words = "answer to another question that the file leaves open"
    parser.add_argument("--answer", dest="answers", action="append", default=[], metavar="NAME=VALUE", help=words)
    parser.add_argument("--name", help="name of the network in the workspace (default: the file's)")
    parser.add_argument("--format", dest="form", choices=FORMS, help="format to export")
    parser.add_argument("--out", metavar="FILE", help="write the exported network or the mapping to this file")
    parser.add_argument("--key", metavar="COLUMN", help="predictions: column that tells the rows (default: same order)")
    parser.add_argument(
        "--column", metavar="COLUMN", help="predictions: column that holds them, where there are several"
    )
    words = "score from which on the decision is favourable (default: the mapping's, else 0.5)"
    parser.add_argument("--threshold", metavar="NUMBER", help=words)


def run_model(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the action says."""
    workspace = open_workspace(arguments.workspace)
    actions: dict[str, Callable[[argparse.Namespace, Workspace], dict[str, Any]]] = {
        "check": _check,
        "mapping": _mapping,
        "import": _import,
        "export": _export,
        "predictions": _predictions,
    }
    return {"action": arguments.action} | actions[arguments.action](arguments, workspace)


def model_status(results: Mapping[str, Any]) -> int:
    """Return the exit status: 2 for a file that was refused."""
    return 0 if results.get("accepted", True) else REFUSED


def _check(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from fairneuron_core.formats.network_file import RefusedFile

    dataset = _dataset(arguments, workspace) if arguments.data else None
    try:
        file, content = _opened(arguments)
    except RefusedFile as error:
        nothing: dict[str, Any] = {
            "format": None,
            "layers": [],
            "parameters": 0,
            "inputs": 0,
            "warnings": [],
            "questions": [],
        }
        return {"accepted": False, **nothing, "reason": str(error)}
    found = {
        "accepted": True,
        "format": file.form,
        "layers": [
            {"inputs": layer.weight.shape[1], "outputs": len(layer.bias), "activation": layer.activation}
            for layer in file.layers
        ],
        "head": file.head,
        "parameters": file.parameters,
        "inputs": file.inputs,
        "warnings": list(file.warnings),
        "questions": [{"name": q.name, "words": q.words, "choices": list(q.choices)} for q in file.questions],
        "reason": None,
    }
    return found if dataset is None else found | {"fit": _fit(arguments, workspace, dataset, file, content)}


def _fit(
    arguments: argparse.Namespace, workspace: Workspace, dataset: Any, file: Any, content: bytes
) -> dict[str, Any]:
    """Return how the network does on the data, under the given, the kept or the guessed mapping."""
    from fairneuron_core.jobs.fit_check import check_fit
    from fairneuron_core.store.plain import plain

    mapping, reason = _chosen_mapping(arguments, workspace, dataset, file, content)
    told: dict[str, Any] = {"accuracy": None, "majority": None, "favourable": None, "auc": None, "rows": 0}
    told |= {"mapping": _mapping_json(mapping), "mapping_reason": reason}
    if mapping is None and not file.described:
        return told | {"warnings": [reason]}
    try:
        fit = check_fit(dataset, _classifier(arguments, dataset, file, content, mapping))
    except (DataError, ModelError) as error:
        return told | {"warnings": [str(error)]}
    numbers = {key: getattr(fit, key) for key in ("accuracy", "majority", "favourable", "auc", "rows")}
    return plain(told | numbers | {"warnings": list(fit.warnings)})


def _mapping(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from fairneuron_core.data.mapping import InputMapping
    from fairneuron_core.data.mapping_guess import layouts
    from fairneuron_core.data.mapping_json import mapping_to_json

    out, dataset = writable(arguments.out), _dataset(arguments, workspace)
    file, content = _opened(arguments)
    if file.described:
        raise SettingError(f"'{arguments.file}' carries its own encoder: it needs no mapping.")
    mapping, reason = _chosen_mapping(arguments, workspace, dataset, file, content)
    if mapping is None:
        mapping = InputMapping(next(layouts(dataset)).columns)
        reason = f"{reason} What follows does not fit yet: edit it."
    # Beside the JSON on stdout, which goes into a file.
    print(reason, file=sys.stderr)
    if out is not None:
        write_file(out, mapping_to_json(mapping).encode())
    said = {"out": str(out)} if out else {}
    return {"mapping": _mapping_json(mapping), "mapping_reason": reason, "text": mapping_to_json(mapping), **said}


def _import(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from fairneuron_core.jobs import find_dataset, store_classifier, stored_reference
    from fairneuron_core.jobs.fit_check import check_fit
    from fairneuron_core.jobs.foreign_network import settled
    from fairneuron_core.jobs.saved_mappings import save_mapping
    from fairneuron_core.store.plain import plain
    from fairneuron_core.workspace import digest

    _dataset(arguments, workspace)
    file, content = _opened(arguments)
    settled(file, name=arguments.file)
    dataset = find_dataset(data := stored_reference(arguments.data, workspace), workspace)
    mapping, reason = _chosen_mapping(arguments, workspace, dataset, file, content)
    if mapping is None and not file.described:
        raise DataError(reason)
    classifier = _classifier(arguments, dataset, file, content, mapping)
    fit = check_fit(dataset, classifier)
    name = arguments.name or Path(arguments.file).stem[:80] or "imported network"
    model = store_classifier(classifier, workspace, name=name)
    if mapping is not None:
        save_mapping(workspace, digest(content), mapping)
    told = {key: getattr(fit, key) for key in ("accuracy", "majority", "auc")}
    warnings = [*file.warnings, *fit.warnings]
    return plain({"model": model, "data": data, "mapping_reason": reason, **told, "warnings": warnings})


def _export(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from fairneuron_core.jobs import find_classifier
    from fairneuron_core.models.files.export import export_model

    out = writable(arguments.out)
    if out is None or arguments.form is None:
        raise SettingError(f"An export needs --format ({', '.join(FORMS)}) and --out FILE.")
    dataset = _dataset(arguments, workspace) if arguments.data else None
    content = export_model(find_classifier(arguments.file, workspace, dataset=dataset), arguments.form)
    write_file(out, content)
    return {"out": str(out), "format": arguments.form, "bytes": len(content)}


def _predictions(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from fairneuron_core.jobs import stored_reference
    from fairneuron_core.jobs.predictions import bring_predictions

    _dataset(arguments, workspace)
    path = Path(arguments.file)
    if not path.is_file():
        raise NotFoundError(f"There is no file '{path}': give the path of a table of predictions.")
    found = bring_predictions(
        path.read_bytes(),
        stored_reference(arguments.data, workspace),
        workspace,
        name=path.name,
        key=arguments.key,
        column=arguments.column,
        threshold=_threshold(arguments, 0.5),
    )
    told = {"rows": found.rows, "kind": found.kind, "column": found.column}
    return {"data": found.data, "model": found.model, **told}


def _dataset(arguments: argparse.Namespace, workspace: Workspace) -> Any:
    from fairneuron_core.jobs import find_dataset

    if not arguments.data:
        raise SettingError(f"`fairneuron model {arguments.action}` needs the data set: name it with --data.")
    return find_dataset(arguments.data, workspace)


def _opened(arguments: argparse.Namespace) -> tuple[Any, bytes]:
    from fairneuron_core.jobs.foreign_network import open_file

    answers = {key: value for key in ("activation", "head") if (value := getattr(arguments, key))}
    for pair in arguments.answers:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(f"'--answer {pair}' has no '=': write --answer NAME=VALUE.")
        answers[name.strip()] = value.strip()
    return open_file(Path(arguments.file), answers)


def _chosen_mapping(
    arguments: argparse.Namespace, workspace: Workspace, dataset: Any, file: Any, content: bytes
) -> tuple[Any, str]:
    """Return the mapping that is given, kept or guessed, and where it comes from."""
    from dataclasses import replace

    from fairneuron_core.jobs.mapping_suggestion import suggest_mapping
    from fairneuron_core.jobs.saved_mappings import read_mapping, saved_mapping
    from fairneuron_core.workspace import digest

    if file.described:
        return None, "The file carries its own encoder."
    if arguments.mapping:
        mapping, reason = read_mapping(arguments.mapping), f"Read from '{arguments.mapping}'."
    elif kept := saved_mapping(workspace, digest(content)):
        mapping, reason = kept, "Kept from an earlier import of the same file."
    else:
        guessed, reason = suggest_mapping(file, dataset)
        if guessed is None:
            return None, reason
        mapping = guessed
    return replace(mapping, threshold=_threshold(arguments, mapping.threshold)), reason


def _threshold(arguments: argparse.Namespace, usual: float) -> float:
    if arguments.threshold is None:
        return usual
    try:
        found = float(arguments.threshold)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise SettingError(f"--threshold is '{arguments.threshold}': write a number from 0 to 1.")
    return found


def _classifier(arguments: argparse.Namespace, dataset: Any, file: Any, content: bytes, mapping: Any) -> Any:
    from fairneuron_core.jobs.foreign_network import bring_network
    from fairneuron_core.workspace import digest

    name = Path(arguments.file).name
    return bring_network(file, mapping, dataset, name=name, content_sha256=digest(content), content=content)


def _mapping_json(mapping: Any) -> dict[str, Any] | None:
    import json

    from fairneuron_core.data.mapping_json import mapping_to_json

    return None if mapping is None else json.loads(mapping_to_json(mapping))
