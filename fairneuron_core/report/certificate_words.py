"""A certificate in words: what was asked, what was found, for whom it holds, and what it does not say.

All functions take the JSON of the certify job, so the page, the command line and a stored run read the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairneuron_core.report.words import clipped, count, counted, listed, number, quantity

SHAPES = {"proved": "✓", "refuted": "✕", "unknown": "?"}
PARTS = {"test": "test rows", "validation": "validation rows", "train": "training rows", "all": "rows"}
METHODS = {
    "syntactic": "read from the wiring",
    "enumeration": "every possibility tried",
    "exhaustive": "every possibility tried",
    "crown": "bounds on the network (CROWN)",
    "search": "points tried at random",
    "split": "bounds on halves of the range (CROWN)",
    "alpha_crown": "tighter bounds (alpha-CROWN)",
    "milp": "a solver (mixed integer programming)",
    "branch and bound": "branch and bound",
    "none": "nothing was settled",
}
MOSTLY = 0.5
"""With a larger open share, a bracket says little, and the headline names the random draw instead."""

NOT_GROUP_FAIRNESS = (
    "Equal treatment of two people who differ in one column is not equal treatment of groups: other columns stand in "
    "for the one that changed, and the gaps between groups stay."
)


def changed_words(found: Mapping[str, Any], *, joint: str = "or") -> str:
    """Return what may differ, as it stands in a sentence.

    >>> changed_words({"protected": ["sex", "race"], "within": {"age": 2.0}})
    'sex or race (and age by at most 2)'
    """
    small = [f"{name} by at most {amount:g}" for name, amount in found["within"].items()]
    return listed(list(found["protected"]), joint=joint) + (f" (and {listed(small)})" if small else "")


def is_unread(found: Mapping[str, Any]) -> bool:
    """Say whether the network reads nothing of what may differ, so that the answer is a fact about its inputs."""
    return set(found["unread"]) >= {*found["protected"], *found["within"]} or set(found["method"]) == {"syntactic"}


def question_words(found: Mapping[str, Any]) -> str:
    """Return the page's question about what may differ."""
    return f"Would anybody be decided differently if only {changed_words(found)} changed?"


def rows_words(found: Mapping[str, Any]) -> str:
    """Return `200 test rows`, or `1 test row`.

    >>> rows_words({"n": 1, "part": "test"}), rows_words({"n": 1000, "part": "all"})
    ('1 test row', '1,000 rows')
    """
    plural = PARTS.get(str(found["part"]), "rows")
    return counted(int(found["n"]), plural.removesuffix("s"), plural)


def headline(found: Mapping[str, Any]) -> str:
    """Answer the page's question in one sentence: for how many people, by what means, and what is open."""
    if found["cut_off"] and is_unread(found):
        named = listed(list(found["cut_off"]))
        return f"No: every weight from {named} is 0, so no change of {changed_words(found)} alters any decision at all."
    if is_unread(found):
        return f"{unread_words(found)} A certificate over it is true and says nothing about this network's judgement."
    n, refuted, unknown = (int(found[name]) for name in ("n", "refuted", "unknown"))
    what, who = changed_words(found), rows_words(found)
    if n == 0:
        return "There is no row in this part, so nothing was certified."
    if refuted == 0 and unknown == 0:
        said = f"No: for all {who} no change of {what} alters the decision ({method_words(found)})."
    elif refuted == 0:
        said = f"None is known: of {who}, {count(found['proved'])} are proved, {count(unknown)} are open."
    else:
        share = quantity(refuted / n, "percent")
        said = f"Yes: {count(refuted)} of {who} ({share}) would be decided differently if only {what} changed"
        said += f"; {count(unknown)} are open." if unknown else "."
    return f"{said} {space_headline(found)}".strip()


def space_headline(found: Mapping[str, Any]) -> str:
    """Return what holds for every possible person in one short sentence; empty where that was not asked."""
    space = found.get("space")
    if not space:
        return ""
    who = "everybody whom the columns allow"
    if space["cells"]:
        who = f"all {large(space['cells'])} people whom the columns allow"
    if space["refuted"] == 0 and space["unknown"] == 0:
        return f"It holds for {who}."
    if space["unknown"] == 0:
        return f"Among {who}, {share_words(space['refuted'])} would."
    if space["unknown"] > MOSTLY:
        return f"Of {who}, most are open{drawn_words(space)}."
    low, high = share_words(space["refuted"]), share_words(1 - space["proved"])
    return f"Among {who}, between {low} and {high} would."


def drawn_words(space: Mapping[str, Any]) -> str:
    """Return what a uniform draw says of a space that could not be settled; empty where there was none."""
    drawn = space["uniform"]
    if not drawn or drawn["value"] is None:
        return ""
    return f"; {share_words(drawn['value'])} of {count(drawn['n'])} drawn at random would"


def large(value: int) -> str:
    """Return a whole number that may be too long to be read.

    >>> large(12_108_096), large(316_214_710_272_000_000)
    ('12,108,096', '316,214,710 billion')
    """
    if value < 10**12:
        return count(value)
    return f"{count(value // 10**9)} billion" if value < 10**18 else f"{value:.1e}".replace("e+", " x 10^")


def space_words(space: Mapping[str, Any]) -> str:
    """Return what the certificate itself says of the whole space, as a sentence of its own."""
    said = str(space["sentence"])
    return said[:1].upper() + said[1:]


def share_words(share: float) -> str:
    """Return a share in percent that never rounds something to nothing.

    >>> share_words(0.0), share_words(0.000004), share_words(0.0659), share_words(0.99999)
    ('0.0 %', 'under 0.01 %', '6.6 %', 'over 99.9 %')
    """
    if 0 < share < 1e-4:
        return "under 0.01 %"
    if share < 0.005 and share:
        return quantity_of(share, digits=2)
    return "over 99.9 %" if 0.9995 <= share < 1 else quantity(share, "percent")


def quantity_of(share: float, *, digits: int) -> str:
    """Return a share in percent with that many decimals."""
    return f"{number(100 * share, digits=digits)} %"


def method_words(found: Mapping[str, Any]) -> str:
    """Say by which means the rows were settled, the most frequent first."""
    used = sorted(found["method"].items(), key=lambda item: -item[1])
    named = [METHODS.get(name, name.replace("_", " ")) for name, rows in used if rows]
    if not named:
        return "nothing was settled"
    if len(named) == 1:
        return named[0]
    return listed([f"{METHODS.get(name, name)} for {count(rows)}" for name, rows in used if rows])


def unread_words(found: Mapping[str, Any]) -> str:
    """Say which of the attributes the network does not read; empty where it reads them all."""
    names = list(found["unread"])
    if not names and not is_unread(found):
        return ""
    named = listed(names or list(found["protected"]))
    return f"This network does not read {named}, so no decision can depend on {'them' if len(names) > 1 else 'it'}."


def differs_words(one: Mapping[str, Any]) -> str:
    """Return `sex: Male → Female` for everything in which the two people differ."""
    return ", ".join(f"{name}: {value_words(one['this'].get(name))} → {value_words(one['other'].get(name))}"
                     for name in one["differs"])  # fmt: skip


def value_words(value: Any) -> str:
    """Return one raw value as a person reads it."""
    if value is None:
        return "(missing)"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.6g}"
    return str(value)


def pair_words(one: Mapping[str, Any]) -> str:
    """Say what happens to one person and to the same person with other values.

    >>> pair_words({"this": {"sex": "F"}, "other": {"sex": "M"}, "differs": ["sex"], "row": 7, "decisions": [0, 1],
    ...             "scores": [0.41, 0.62]})
    'Row 7 (sex = F) has score 0.410 and is not selected. With sex = M and everything else unchanged, the score is 0.620 and the person is selected.'
    """  # noqa: E501
    who = "A possible person" if one["row"] is None else f"Row {count(one['row'])}"
    own = [f"{name} = {clipped(value_words(one['this'].get(name)))}" for name in one["differs"]]
    new = [f"{name} = {clipped(value_words(one['other'].get(name)))}" for name in one["differs"]]
    first, second = (number(score, digits=3) for score in one["scores"])
    return (
        f"{who} ({listed(own)}) has score {first} and is {decision_words(one['decisions'][0])}. With {listed(new)} and "
        f"everything else unchanged, the score is {second} and the person is {decision_words(one['decisions'][1])}."
    )


def decision_words(decision: int) -> str:
    """Return a decision in words."""
    return "selected" if decision else "not selected"


def direction_words(found: Mapping[str, Any]) -> str:
    """Say which values gain and lose among the refuted people that are kept, where one column alone differs."""
    gains: dict[tuple[str, str], int] = {}
    for one in found["counterexamples"]:
        if len(one["differs"]) == 1:
            name = one["differs"][0]
            worse, better = ("this", "other") if one["decisions"][0] < one["decisions"][1] else ("other", "this")
            step = (value_words(one[worse].get(name)), value_words(one[better].get(name)))
            gains[step] = gains.get(step, 0) + 1
    if not gains or len(found["protected"]) != 1 or found["within"]:
        return ""
    ranked = sorted(gains.items(), key=lambda item: -item[1])
    shown = [f"{count(times)} would be selected as {better}, not as {worse}" for (worse, better), times in ranked[:3]]
    kept = len(found["counterexamples"])
    whose = "Of these people" if kept == found["refuted"] else f"Of the {count(kept)} listed people"
    rest = sum(times for _, times in ranked[3:])
    more = [f"{count(rest)} with other values"] if rest else []
    return f"{whose}, {'; '.join([*shown, *more])}."


def scope_words(found: Mapping[str, Any]) -> str:
    """Say for whom the certificate holds and in which arithmetic."""
    who = rows_words(found)
    open_rows = f" Open: {found['reason']}" if found.get("reason") else ""
    return (
        f"It speaks of these {who} and of this network with its decision threshold, in the arithmetic it is deployed "
        f"in. Settled by: {method_words(found)}.{open_rows}"
    )


def stand_in_words(attribute: str, known: Sequence[Mapping[str, Any]]) -> str:
    """Say how well the columns that stay tell the attribute.

    >>> stand_in_words("sex", [{"column": "status", "accuracy": 0.75, "base": 0.5, "n": 4}])
    'sex stays readable from status: it guesses sex right for 75.0 % of the rows, against 50.0 % without it.'
    """
    if not known:
        return (
            f"No other column that the network reads guesses {attribute} better than always saying the largest group."
        )
    first = known[0]
    right, base = quantity(first["accuracy"], "percent"), quantity(first["base"], "percent")
    more = f", then {listed([one['column'] for one in known[1:4]])}" if len(known) > 1 else ""
    return (
        f"{attribute} stays readable from {first['column']}: it guesses {attribute} right for {right} of the rows, "
        f"against {base} without it{more}."
    )
