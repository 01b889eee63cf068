"""What a certificate and a search for pairs are both asked: whose decisions, and what may differ."""

from __future__ import annotations

from dataclasses import dataclass

from fairneuron_core.params import setting


@dataclass(frozen=True)
class QuestionParams:
    """Whose decisions, and what may differ between two people who must be decided alike."""

    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    model: str = setting("", label="Model", help="Stored id or file.")
    protected: tuple[str, ...] | None = setting(
        None,
        label="Protected attributes",
        help="They may take every value; several with commas between them. Empty = the first one of the data set.",
    )
    within: tuple[str, ...] | None = setting(
        None,
        label="Tolerance",
        help="Numbers that may differ a little too, in their own units: hours_per_week=1,age=2.",
        empty="none",
    )
