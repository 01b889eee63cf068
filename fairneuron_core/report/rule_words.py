"""How a network turns scores into decisions, in words: by one threshold, by a rule that reads a protected attribute, or
by a vote that makes one not matter."""

from __future__ import annotations

from fairneuron_core.report.words import count, listed, number, quantity
from fairneuron_core.types import Classifier, DecisionRule, VoteRule

_SHOWN_SHARE = 0.0005


def threshold_chip(classifier: Classifier) -> str:
    """Return the few words of a page's heading: `threshold 0.50`, `thresholds by sex`, or `a vote over sex`."""
    if isinstance(classifier.rule, VoteRule):
        return f"a vote over {listed(list(classifier.rule.attributes))}"
    if classifier.rule is not None:
        return f"thresholds by {classifier.rule.attribute}"
    return f"threshold {number(classifier.threshold, digits=2)}"


def rule_sentence(classifier: Classifier) -> str:
    """Say that the network decides by a rule per group or by a vote, and by which; empty for a network without one."""
    rule = classifier.rule
    if rule is None:
        return ""
    if isinstance(rule, VoteRule):
        return (
            f"This network decides by a vote: it is asked about all {count(len(rule.combinations))} possibilities of "
            f"{listed(list(rule.attributes))}, and the majority decides, at the threshold {_cut(classifier.threshold)}."
        )
    parts = [f"{_mix(mix)} for {level}" for level, mix in rule.groups.items()]
    said = f"This network reads {rule.attribute} when it decides: threshold {listed(parts)}."
    if any(len(_shown(mix)) > 1 for mix in rule.groups.values()):
        said += " Where several are named, each person draws one by chance, always the same one."
    return said


def own_thresholds(classifier: Classifier, attribute: str, levels: tuple[str, ...]) -> dict[str, float]:
    """Return the one threshold of every group: the rule's, where it has a single one for it, or the network's own."""
    rule = classifier.rule
    mixes = rule.groups if isinstance(rule, DecisionRule) and rule.attribute == attribute else {}
    return {level: _single(mixes.get(level, ()), classifier.threshold) for level in levels}


def _single(mix: tuple[tuple[float, float], ...], otherwise: float) -> float:
    return min(mix[0][1], 1.0) if len(mix) == 1 else otherwise


def _shown(mix: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    return [(share, cut) for share, cut in mix if share >= _SHOWN_SHARE]


def _mix(mix: tuple[tuple[float, float], ...]) -> str:
    shown = _shown(mix)
    if len(shown) == 1:
        return _cut(shown[0][1])
    return listed([f"{_cut(cut)} ({quantity(share, 'percent')})" for share, cut in shown], joint="or")


def _cut(cut: float) -> str:
    return "none (always favourable)" if cut <= 0 else "out of reach (never favourable)" if cut > 1 else f"{cut:.2f}"
