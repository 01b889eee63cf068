"""The commands: arguments, what they run, how their result reads. A further command is one row of COMMANDS."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairneuron_core.cli import show
from fairneuron_core.cli.app import add_app_arguments, run_app
from fairneuron_core.cli.bench import add_bench_arguments, run_bench, show_bench
from fairneuron_core.cli.certify import add_certify_arguments, certify_status, run_certify, show_certify
from fairneuron_core.cli.doctor import examine
from fairneuron_core.cli.experiment import add_experiment_arguments, run_experiment, show_experiment
from fairneuron_core.cli.hunt import add_hunt_arguments, audit_status, run_hunt, show_hunt
from fairneuron_core.cli.job import flags_given, run_here
from fairneuron_core.cli.model import add_model_arguments, model_status, run_model
from fairneuron_core.cli.output import writable
from fairneuron_core.cli.proofs import add_proofs_arguments, run_proofs, show_proofs
from fairneuron_core.cli.show_model import show_model
from fairneuron_core.errors import SettingError
from fairneuron_core.workspace import Workspace, open_workspace


@dataclass(frozen=True)
class Command:
    """One command of the command line; `status` turns its result into the exit status."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], dict[str, Any] | None]
    show: Callable[[Mapping[str, Any]], str]
    status: Callable[[Mapping[str, Any]], int] = lambda results: 0


def _flags(kind: str, *, skip: tuple[str, ...] = ()) -> Callable[[argparse.ArgumentParser], None]:
    """Derive flags from the fields of a job's settings; values stay text and are checked with the others."""

    def add(parser: argparse.ArgumentParser) -> None:
        for field in dataclasses.fields(_params_of(kind)):
            if field.name not in skip:
                rules = field.metadata
                words = f"{rules['label']}. {rules['help']}".strip().replace("%", "%%")
                choices = f" [{', '.join(map(str, rules['choices']))}]" if rules["choices"] else ""
                flag = f"--{field.name.replace('_', '-')}"
                parser.add_argument(flag, dest=field.name, default=None, help=words + choices, metavar="VALUE")

    return add


def _params_of(kind: str) -> Any:
    from fairneuron_core import jobs

    return {
        "train": jobs.TrainParams,
        "audit": jobs.AuditParams,
        "paths": jobs.PathsParams,
        "neurons": jobs.NeuronsParams,
        "certify": jobs.CertifyParams,
        "hunt": jobs.HuntParams,
        "repair": jobs.RepairParams,
        "search": jobs.SearchJobParams,
        "experiment": jobs.ExperimentParams,
        "proofs": jobs.ProofsParams,
        "tour": jobs.TourParams,
    }[kind]


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    _flags("train", skip=("include_protected",))(parser)
    choice = parser.add_mutually_exclusive_group()
    words = "let the network read the protected attribute, or keep it out (default: as published for the data set)"
    choice.add_argument("--include-protected", dest="include_protected", action="store_true", default=None, help=words)
    choice.add_argument("--exclude-protected", dest="include_protected", action="store_false", help=words)
    parser.add_argument("--out", metavar="FILE", help="also write the model to this file")


def _repair_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", help="name of a method; an unknown one prints the list")
    _flags("repair", skip=("method",))(parser)
    _set_and_out(parser)


def _search_arguments(parser: argparse.ArgumentParser) -> None:
    shown = ("data", "model", "protected", "seed", "device", "threads", "epochs")
    shown += ("engine", "thetas", "gammas", "trials", "batch", "gaps", "first_layer", "address")
    skipped = tuple(f.name for f in dataclasses.fields(_params_of("search")) if f.name not in shown)
    _flags("search", skip=skipped)(parser)
    _set_and_out(parser)


def _set_and_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE", help="any setting")
    parser.add_argument("--out", metavar="FILE", help="also write the repaired model to this file")


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show"))
    parser.add_argument("name", nargs="?", help="data set to show")


def _runs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="id of a run to show in full")
    parser.add_argument("--limit", type=int, default=50, help="newest runs to list")


def _job(kind: str) -> Callable[[argparse.Namespace], dict[str, Any]]:
    """Run the job of that kind in this process with the flags that were given."""

    def run(arguments: argparse.Namespace) -> dict[str, Any]:
        workspace = open_workspace(arguments.workspace)
        given = _given(arguments, kind)
        out = writable(getattr(arguments, "out", None))
        results = run_here(kind, given, workspace)
        if out and results.get("model"):
            results["out"] = _write_model(workspace, str(results["model"]), out)
        return results

    return run


def _given(arguments: argparse.Namespace, kind: str) -> dict[str, Any]:
    given = flags_given(arguments, _params_of(kind))
    for pair in getattr(arguments, "settings", []):
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(f"'--set {pair}' has no '=': write --set NAME=VALUE.")
        given[name.strip().replace("-", "_")] = value.strip()
    return given


def _write_model(workspace: Workspace, model: str, path: Path) -> str:
    from fairneuron_core.store import get_model, open_store

    try:
        path.write_bytes(workspace.get(get_model(open_store(workspace), model).sha256))
    except OSError as error:
        raise SettingError(
            f"'{path}' cannot be written ({error.strerror}); the model is kept in the workspace under the id {model}."
        ) from error
    return str(path)


def _data(arguments: argparse.Namespace) -> dict[str, Any]:
    from fairneuron_core.cli.data import describe_dataset, list_data

    workspace = open_workspace(arguments.workspace)
    if arguments.action == "list":
        return list_data(workspace)
    if not arguments.name:
        raise SettingError("`fairneuron data show` needs the name of a data set: see `fairneuron data list`.")
    return describe_dataset(arguments.name, workspace)


def _runs(arguments: argparse.Namespace) -> dict[str, Any]:
    from fairneuron_core.cli.runs import list_all, show_run

    workspace = open_workspace(arguments.workspace)
    return show_run(arguments.run, workspace) if arguments.run else list_all(workspace, limit=arguments.limit)


def _nothing(parser: argparse.ArgumentParser) -> None:
    """A command without arguments of its own."""


COMMANDS: dict[str, Command] = {
    "doctor": Command(
        "Say what this installation has: versions, device, store, worker.", _nothing, examine, show.facts
    ),
    "data": Command("List the data sets, or show one.", _data_arguments, _data, show.data),
    "model": Command(
        "Check, map, import or export a network file of any tool, or bring predictions.",
        add_model_arguments,
        run_model,
        show_model,
        model_status,
    ),
    "train": Command("Train a network on a data set.", _train_arguments, _job("train"), show.training),
    "audit": Command(
        "Audit a model: gaps between groups, with intervals.", _flags("audit"), _job("audit"), show.audit, audit_status
    ),
    "paths": Command("Slice a model into activation paths and count them.", _flags("paths"), _job("paths"), show.paths),
    "neurons": Command("Which neurons serve which group.", _flags("neurons"), _job("neurons"), show.neurons),
    "certify": Command(
        "Certify that a protected attribute never changes a decision, or find whom it does.",
        add_certify_arguments(_flags("certify")),
        run_certify(_job("certify")),
        show_certify,
        certify_status,
    ),
    "hunt": Command(
        "Search for people who are decided differently when only a protected attribute changes.",
        add_hunt_arguments(_flags("hunt")),
        run_hunt(_job("hunt")),
        show_hunt,
    ),
    "repair": Command("Repair a model and compare before and after.", _repair_arguments, _job("repair"), show.repair),
    "search": Command("Search FairNeuron's theta and gamma.", _search_arguments, _job("search"), show.search),
    "experiment": Command(
        "Compare methods over seeds, with intervals.",
        add_experiment_arguments(_flags("experiment", skip=("include_protected",))),
        run_experiment,
        show_experiment,
    ),
    "proofs": Command(
        "Measure repairs with a proof in the settings of the literature.",
        add_proofs_arguments(_flags("proofs")),
        run_proofs,
        show_proofs,
    ),
    "tour": Command("Train, audit, slice and repair in one go.", _flags("tour"), _job("tour"), show.tour),
    "runs": Command("List the runs of the workspace, or show one.", _runs_arguments, _runs, show.runs),
    "bench": Command("Measure how fast this product works.", add_bench_arguments, run_bench, show_bench),
    "app": Command("Serve the dashboard.", add_app_arguments, run_app, show.facts),
}
