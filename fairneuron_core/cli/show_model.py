"""How the results of `fairneuron model` read on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairneuron_core.cli.show import table


def show_model(results: Mapping[str, Any]) -> str:
    """Return the results as text: what the file holds, how it fits, or what was stored."""
    if results["action"] == "mapping":
        return str(results.get("out", results["text"].rstrip()))
    if results["action"] == "check":
        return _shown_check(results)
    facts = [(key.replace("_", " "), value) for key, value in results.items() if key not in ("action", "warnings")]
    return "\n".join([table(("what", "value"), facts), *(f"- {said}" for said in results.get("warnings", ()))])


def _shown_check(results: Mapping[str, Any]) -> str:
    if not results["accepted"]:
        return f"Refused: {results['reason']}"
    rows = [(one["inputs"], one["outputs"], one["activation"]) for one in results["layers"]]
    lines = [
        f"A network of format {results['format']}: {results['inputs']} inputs, {results['parameters']:,} parameters.",
        table(("inputs", "outputs", "activation"), rows),
        *(f"Open question {q['name']} ({', '.join(q['choices'])}): {q['words']}" for q in results["questions"]),
        *(f"- {said}" for said in results["warnings"]),
    ]
    if "fit" in results:
        fit = results["fit"]
        lines += ["", fit["mapping_reason"]]
        if fit["accuracy"] is not None:
            auc = "undefined" if fit["auc"] is None else f"{fit['auc']:.3f}"
            lines.append(
                f"On {fit['rows']:,} rows {fit['accuracy']:.1%} of the decisions are right (deciding everybody alike: "
                f"{fit['majority']:.1%}), AUC {auc}."
            )
        lines += [f"- {said}" for said in fit["warnings"] if said != fit["mapping_reason"]]
    return "\n".join(lines)
