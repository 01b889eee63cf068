"""How results read on a terminal. Numbers come with their interval and n; undefined is said in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_HEADLINES = (
    "accuracy",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return left-aligned columns, two spaces apart."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def estimate(value: Mapping[str, Any]) -> str:
    """Return `0.173 [0.155, 0.190], n = 6,512`, or `undefined, n = ...`."""
    if value["value"] is None:
        return f"undefined, n = {value['n']:,}"
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.3f}, n = {value['n']:,}"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}], n = {value['n']:,}"


def facts(results: Mapping[str, Any]) -> str:
    return table(("what", "value"), ((key.replace("_", " "), value) for key, value in results.items()))


def data(results: Mapping[str, Any]) -> str:
    if "datasets" in results:
        rows = [(d["name"], f"{d['rows']:,}", ", ".join(d["protected"]), d["title"]) for d in results["datasets"]]
        return table(("name", "rows", "protected", "title"), rows)
    groups = [
        (
            g["attribute"],
            g["group"],
            f"{g['n']:,}",
            f"{g['share']:.1%}",
            f"{g['base_rate']:.1%}" if g["base_rate"] is not None else "undefined",
        )
        for g in results["groups"]
    ]
    head = [
        f"{results['title']}: {results['rows']:,} rows, {results['columns']} columns",
        f"Favourable outcome: {results['target']} = {results['favourable']} ({results['favourable_words']})",
        f"Source: {results['source']}  Licence: {results['licence']}",
    ]
    traps = [f"- {trap}" for trap in results["traps"]]
    return "\n".join([*head, "", table(("attribute", "group", "n", "share", "base rate"), groups), "", *traps])


def training(results: Mapping[str, Any]) -> str:
    epochs = f"{results['epochs']} epochs, best epoch {results['best_epoch']}"
    head = f"Model {results['model']}: {epochs}, {results['seconds']} s"
    return f"{head}\n\nOn the test part:\n{audit(results['test'])}"


def audit(results: Mapping[str, Any]) -> str:
    lines = [
        table(("metric", "value [95 % interval]"), ((n, estimate(m)) for n, m in results["metrics"].items())),
        "",
        table(
            ("group", "n", "selected", "selection rate", "TPR", "FPR"),
            (
                (
                    g["group"],
                    f"{g['n']:,}",
                    f"{g['selected']:,}",
                    *(_rate(g["rates"][r]) for r in ("selection_rate", "tpr", "fpr")),
                )
                for g in results["groups"]
            ),
        ),
    ]
    if results["degenerate"]:
        lines += ["", f"Degenerate model: {results['degenerate']}"]
    if results["set_aside"]:
        lines += ["", f"Too small to enter a gap: {', '.join(results['set_aside'])}"]
    if "pairs" in results:
        lines += ["", results["pairs"]["sentence"]]
    return "\n".join(lines)


def _rate(value: Mapping[str, Any]) -> str:
    return "undefined" if value["value"] is None else f"{value['value']:.3f}"


def paths(results: Mapping[str, Any]) -> str:
    rows = [
        (g["group"], f"{g['conflict']:,} of {g['n']:,}", f"{g['share']:.1%} [{g['low']:.1%}, {g['high']:.1%}]")
        for g in results["by_group"]
    ]
    keys = ("samples", "unique_paths", "most_frequent", "threshold_count", "rare_paths", "conflict_samples", "seconds")
    keys += tuple(key for key in ("rows_per_second",) if key in results)
    said = [facts({key: results[key] for key in keys}), "", results["words"]]
    return "\n".join([*said, "", table(("group", "in conflict", "share"), rows)] if rows else said)


def neurons(results: Mapping[str, Any], most: int = 20) -> str:
    """Show the neurons whose use differs most, at most 20 of them; --json has all."""
    every = [(layer["layer"], row) for layer in results["layers"] for row in layer["neurons"]]
    ranked = sorted(every, key=lambda item: (item[1]["p_holm"] is None, -abs(item[1]["difference"]["value"])))
    rows = [
        (
            f"{row['neuron']} of layer {layer}",
            *(f"{group['share']:.1%}" for group in row["by_group"]),
            f"{100 * row['difference']['value']:+.1f} points ({row['group']})",
            "" if row["p_holm"] is None else f"{row['p_holm']:.2g}" if row["p_holm"] > 1e-300 else "< 1e-300",
            row["verdict"],
        )
        for layer, row in ranked[:most]
    ]
    groups = [f"{group['group']} ({group['n']:,})" for group in results["groups"]]
    header = ("neuron", *groups, f"difference from {results['against']}", "Holm's p", "verdict")
    shown = f"{len(rows)} of {len(every)} neurons shown; --json has all."
    return "\n".join([results["sentence"], "", table(header, rows), "", shown])


def repair(results: Mapping[str, Any]) -> str:
    rows = []
    for name in _HEADLINES:
        change = results["paired"]["metrics"][name]
        rows.append(
            (
                name,
                estimate(change["before"]),
                estimate(change["after"]),
                estimate(change["difference"]),
                change["verdict"],
            )
        )
    lines = [
        table(("metric", "before", "after", "change", "verdict"), rows),
        "",
        f"Model {results['model']}, {results['seconds']} s",
    ]
    if results["degenerate"]:
        lines.append(f"Degenerate model: {results['degenerate']}")
    return "\n".join(lines)


def search(results: Mapping[str, Any]) -> str:
    drawn = [
        name for name in ("first_layer", "dropout", "learning_rate") if len({t[name] for t in results["trials"]}) > 1
    ]
    rows = [
        (
            f"{t['theta']:.3g}",
            f"{t['gamma']:g}",
            *(f"{t[name]:.3g}" for name in drawn),
            t["conflict_samples"],
            *(_number(t["metrics"][n]) for n in _HEADLINES[:4]),
            _number(t["score"]),
            t["ineligible"] or "",
        )
        for t in results["trials"]
    ]
    header = ("theta", "gamma", *(name.replace("_", " ") for name in drawn), "conflict")
    header += ("accuracy", "DP gap", "DP ratio", "EO gap", "score", "ineligible because")
    layer = "" if results["first_layer"] is None else f"{results['first_layer']}, "
    lines = [table(header, rows), "", results["reason"], f"First layer: {layer}{results['first_layer_reason']}"]
    return "\n".join([*lines, "", repair(results)] if results.get("model") else lines)


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def tour(results: Mapping[str, Any]) -> str:
    parts = [training(results["train"]), "Paths of the training part:\n" + paths(results["paths"])]
    parts += [f"Repair by {method}:\n{repair(found)}" for method, found in results["repairs"].items()]
    return "\n\n".join([*parts, f"Everything: {results['seconds']} s"])


def runs(results: Mapping[str, Any]) -> str:
    if "runs" not in results:
        return facts({key: value for key, value in results.items() if not isinstance(value, dict | list)})
    rows = [(r["id"], r["state"], r["kind"], r["created"], f"{r['share']:.0%}", r["title"]) for r in results["runs"]]
    return table(("id", "state", "kind", "created", "done", "title"), rows) if rows else "No runs yet."
