"""What repairs with a proof reach in the settings of the literature: who is still discriminated, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fairneuron_core.report import strips
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart
from fairneuron_core.report.words import number, plain, quantity
from fairneuron_core.types import Estimate

TITLE = "Individuals who are decided differently by an attribute alone"
_KINDS = {
    "one attribute": "One attribute is free",
    "two attributes": "Two attributes are free at once",
    "tolerance": "One attribute is free, and a number may differ a little",
}
_SHOWN = ("given", "prof", "ours")
_SHIFTS = {"given": 0.06, "prof": -0.08, "ours": -0.22}
_ROW = 54
_WORDS = {"given": "as trained", "prof": "repaired by ProF", "ours": "proved for every input"}


def proofs_chart(results: Mapping[str, Any], *, mode: Mode = "light") -> Chart:
    """Return, per setting, the share of all rows with a discriminatory individual before and after both repairs."""
    lines = results["side_by_side"]
    if not lines:
        return empty_chart(TITLE, "No setting was measured.", mode)
    kinds = [kind for kind in _KINDS if any(line["kind"] == kind for line in lines)]
    panels = [_panel([line for line in lines if line["kind"] == kind], _KINDS[kind]) for kind in kinds]
    figure = strips.strip_figure(panels, mode=mode)
    for index, (kind, panel) in enumerate(zip(kinds, panels, strict=True), start=1):
        strips.add_track(figure, panel, index, mode=mode)
        for r, line in enumerate(line for line in lines if line["kind"] == kind):
            for name in _SHOWN:
                hover = f"<b>{plain(line['setting'])}</b><br>{_WORDS[name]}: {_share(line[name])} of all rows"
                place = {"y": -r + _SHIFTS[name], "dot": _dot(name, mode), "hover": hover}
                strips.add_dot(figure, panel, index, _estimate(line[name]), **place)
    return Chart(TITLE, figure, proofs_sentence(results), proofs_table(results))


def _panel(lines: Sequence[Mapping[str, Any]], heading: str) -> strips.Panel:
    top = strips.nice_top([_value(line[name]) for line in lines for name in _SHOWN], floor=0.02, ceiling=1.0)
    rows = tuple(
        strips.Row(plain(line["setting"]), " → ".join(_share(line[name]) for name in _SHOWN)) for line in lines
    )
    legend = "%: ● as trained, ◇ ProF, ■ proved for every input"
    return strips.Panel(
        rows,
        high=top,
        heading=f"{heading} · share of all rows in {legend}",
        row=_ROW,
        **strips.in_points(top),
    )


def _dot(name: str, mode: Mode) -> strips.Dot:
    colours = COLOURS[mode]
    looks = {
        "given": (colours.before, "circle"),
        "prof": (colours.reference, "diamond"),
        "ours": (colours.after, "square"),
    }
    colour, symbol = looks[name]
    return strips.Dot(colour, colours.ground, symbol=symbol, hollow=name == "prof", name=_WORDS[name])


def _value(line: Mapping[str, Any] | None, name: str = "data") -> float:
    return math.nan if not line or line.get(name) is None else float(line[name])


def _estimate(line: Mapping[str, Any] | None) -> Estimate:
    return Estimate(_value(line), math.nan, math.nan, int((line or {}).get("seeds") or 0))


def _share(line: Mapping[str, Any] | None) -> str:
    value = _value(line)
    return "unknown" if math.isnan(value) else quantity(value, "percent", short=True)


def proofs_sentence(results: Mapping[str, Any]) -> str:
    """Say what a proof costs on average where one attribute is free, and what ProF leaves open."""
    by_key = {(line["kind"], line["method"]): line for line in results["means"]}
    ours, prof = (by_key.get(("one attribute", name)) for name in ("ours", "prof"))
    if ours is None or ours["accuracy_lost"] is None:
        return "Every possibility is tried with the deployed network."
    said = (
        f"With one attribute free, the method chosen on validation rows is proved for every input in "
        f"{ours['every_input']} of {ours['seeds']} networks and costs {number(ours['accuracy_lost'], digits=2)} points "
        "of test accuracy"
    )
    if prof is None or prof["data_reduction"] is None:
        return said + "."
    cost = number(prof["accuracy_lost"], digits=2)
    left = 100 * (1 - prof["data_reduction"])
    return f"{said}; ProF leaves {left:.1f} % of the individuals it should repair and costs {cost}."


def proofs_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """Return one line per setting: reductions in percent on all rows and in the whole space, accuracy, flips, time."""
    return pd.DataFrame([_line(line) for line in results["side_by_side"]])


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    known = line["replicated"] or {}
    row: dict[str, Any] = {"setting": line["setting"], "networks": (line["given"] or {}).get("seeds")}
    row["published, replicated: reduction, all rows %"] = known.get("data_reduction")
    row["published, replicated: reduction, space %"] = known.get("space_reduction")
    row["published, replicated: accuracy lost"] = known.get("accuracy_lost")
    for name, title in (("prof", "ProF here"), ("ours", "ours")):
        found = line[name] or {}
        row |= {
            f"{title}: reduction, all rows %": _percent(found.get("data_reduction")),
            f"{title}: reduction, space %": _percent(found.get("space_reduction")),
            f"{title}: accuracy lost": found.get("accuracy_lost"),
            f"{title}: decisions flipped %": _percent(found.get("flipped")),
            f"{title}: seconds": found.get("seconds"),
            f"{title}: degenerate": found.get("degenerate"),
        }
    ours = line["ours"] or {}
    row["ours: proved for every input"] = f"{ours.get('every_input', 0)} of {ours.get('seeds', 0)}"
    row["ours: by"] = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in (ours.get("by") or {}).items())
    return row


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def goals_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """Return the means over settings: as published, as replicated, ProF here, ours."""
    names = {"published": "published, at most", "replicated": "replicated", "prof": "ProF here", "ours": "ours"}
    return pd.DataFrame(
        [{"over settings": goal["what"], **{t: goal[n] for n, t in names.items()}} for goal in results["goals"]]
    )
