"""The worked example of path frequency: four paths of forty rows, and where theta cuts."""

from __future__ import annotations

import pandas as pd

from fairneuron_core.report import strips
from fairneuron_core.report.style import COLOURS, Chart, Mode, faded
from fairneuron_core.report.words import count, counted

COUNTS = (25, 10, 3, 2)
THETA = 0.3


def theta_example(*, mode: Mode = "light") -> Chart:
    """Return four paths with the rows that take them; a path is rare at or below theta times the largest count."""
    cut = THETA * max(COUNTS)
    rare = [n <= cut for n in COUNTS]
    names = [f"Path {chr(ord('A') + place)}" for place in range(len(COUNTS))]
    words = ["rare: conflict samples" if is_rare else "ordinary" for is_rare in rare]
    rows = tuple(
        strips.Row(f"{name}  <i>{counted(n, 'row')}</i>", said)
        for name, n, said in zip(names, COUNTS, words, strict=True)
    )
    panel = strips.Panel(rows, high=max(COUNTS), row=42)
    figure = strips.strip_figure([panel], mode=mode)
    colours = COLOURS[mode]
    line = {"color": colours.text, "width": 1.4, "dash": "4px,3px"}
    strips.add_line(figure, ((cut, -len(rows) + 0.62), (cut, 0.2)), index=1, line=line, layer="above")
    for place, (n, is_rare, said) in enumerate(zip(COUNTS, rare, words, strict=True)):
        colour = colours.conflict if is_rare else faded(colours.accent, 0.75)
        hover = f"<b>{names[place]}</b><br>{counted(n, 'row')}, {said}"
        strips.add_bar(figure, (0, n), -place, index=1, colour=colour, hover=hover)
    conflicts = sum(n for n, is_rare in zip(COUNTS, rare, strict=True) if is_rare)
    sentence = (
        f"Example: theta = {THETA:g} puts the line at {THETA:g} × {max(COUNTS)} = {cut:g} rows, so "
        f"{counted(conflicts, 'row')} of {count(sum(COUNTS))} are conflict samples."
    )
    table = pd.DataFrame({"path": names, "rows": COUNTS, "side of theta": words})
    return Chart("Which rows does the network treat unusually?", figure, sentence, table)
