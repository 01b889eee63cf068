"""What a certificate says in words: scope and answer stand in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fairneuron_core.types import Classifier, VoteRule
from fairneuron_core.verify.similar import Freedom, SimilarSpace, root_of

_TRIED = "every possibility tried"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["sex"]), listed(["sex", "race", "age"])
    ('sex', 'sex, race and age')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def change_words(freedom: Freedom) -> str:
    """Return what may differ, as the subject of a sentence.

    >>> change_words(Freedom(("sex",), {"age": 5}))
    'change of sex, or of age by up to 5,'
    >>> change_words(Freedom(("sex", "race")))
    'change of sex and race'
    """
    windows = [f"{name} by up to {reach:g}" for name, reach in freedom.within.items()]
    if not freedom.protected:
        return f"change of {listed(windows)}" if windows else "change"
    whole = f"change of {listed(list(freedom.protected))}"
    return f"{whole}, or of {listed(windows)}," if windows else whole


def unread_words(space: SimilarSpace, classifier: Classifier) -> str:
    """Return why nothing that may differ can matter."""
    names = listed([*space.unread]) if space.unread else "any of it"
    roots = {root_of(space.schema, name) for name in space.unread}
    voted = isinstance(classifier.rule, VoteRule) and roots & set(classifier.rule.attributes)
    return f"because the vote leaves out {names}" if voted else f"because the network does not read {names}"


def rows_sentence(
    space: SimilarSpace,
    classifier: Classifier,
    *,
    counts: tuple[int, int, int],
    tried: bool,
    reason: str | None,
) -> str:
    """Return the sentence of rows: counts = (proved, refuted, unknown); `tried`: all by enumeration."""
    proved, refuted, unknown = counts
    total = proved + refuted + unknown
    change = change_words(space.freedom)
    if total == 0:
        return "No rows were given: nothing was certified."
    if space.nothing_read:
        return (
            f"{_of(total, total)}, and every applicant there could be: no {change} alters the decision, "
            f"{unread_words(space, classifier)}."
        )
    how = f" ({_TRIED})" if tried else " (proved)"
    parts = [f"{_of(proved, total)}: no {change} alters the decision{how}"]
    if refuted:
        parts.append(f"{_rows(refuted)}: one does")
    if unknown:
        parts.append(f"{_rows(unknown)}: unknown, {reason or 'no method gave an answer'}")
    return "; ".join(parts) + "."


def _rows(n: int) -> str:
    return f"{n:,} row{'s' * (n != 1)}"


def _of(part: int, whole: int) -> str:
    return f"all {_rows(whole)}".capitalize() if part == whole else f"{part:,} of {_rows(whole)}"


def space_sentence(
    space: SimilarSpace,
    classifier: Classifier,
    *,
    cells: int | None,
    shares: tuple[float, float, float],
    counts: tuple[int, int] | None,
    reason: str | None,
) -> str:
    """Return the sentence of the whole space: shares = (proved, refuted, unknown), counts = cells of the first two."""
    change = change_words(space.freedom)
    if space.nothing_read:
        return f"For every applicant: no {change} alters the decision, {unread_words(space, classifier)}."
    if counts is not None and cells is not None:
        return _cells_sentence(change, cells, counts, reason)
    proved, refuted, unknown = shares
    if proved == 1:
        return f"For EVERY possible applicant (bounds over the whole space): no {change} alters the decision."
    parts = [f"{_percent(proved)} of all possible applicants are proved: no {change} alters the decision"]
    if refuted:
        parts.append(f"{_percent(refuted)} are proved to be treated unequally")
    if unknown:
        parts.append(f"{_percent(unknown)} are unknown, {reason or 'no method gave an answer'}")
    return "; ".join(parts) + "."


def _cells_sentence(change: str, cells: int, counts: tuple[int, int], reason: str | None) -> str:
    proved, refuted = counts
    if proved == cells:
        return f"For EVERY possible applicant ({cells:,} cells enumerated): no {change} alters the decision."
    if proved + refuted == cells:
        return (
            f"{proved:,} of {cells:,} possible applicants (every cell enumerated): no {change} alters the decision; "
            f"{refuted:,} ({_percent(refuted / cells)}): one does."
        )
    open_ = cells - proved - refuted
    return (
        f"{proved:,} of {cells:,} possible applicants (cells enumerated so far): no {change} alters the decision; "
        f"{refuted:,}: one does; {open_:,}: unknown, {reason or 'no method gave an answer'}."
    )


def _percent(share: float) -> str:
    """Return a share that is never rounded up to all or down to nothing.

    >>> _percent(0.5), _percent(0.99999), _percent(0.0000001), _percent(1.0), _percent(0.0)
    ('50.0 %', 'more than 99.9 %', 'less than 0.1 %', '100 %', '0 %')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return "more than 99.9 %" if 0.999 < share < 1 else f"{100 * share:.1f} %"
