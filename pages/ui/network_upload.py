"""A network from elsewhere: its file is read by a process of its own, its inputs are mapped, and it is tried before it
is kept."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Any, Literal

import streamlit as st

from fairneuron_core.data.mapping import InputMapping
from fairneuron_core.data.mapping_guess import layouts
from fairneuron_core.errors import FairNeuronError
from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.report.words import counted, markdown_plain
from fairneuron_core.workspace import digest
from pages.ui import cache, network_cache, state, views
from pages.ui.fit_view import show_file, show_first_rows, show_fit
from pages.ui.mapping_form import mapping_form
from pages.ui.network_cache import Answers, Brought
from pages.ui.pickers import BRING

ADDED = "model.added"
_BROUGHT, _REFUSED, _UPLOADS = "model.brought", "model.refused", "model.uploads"
_MOST_ROUNDS = 3


@st.fragment
def bring_network_form(data: str) -> None:
    """Take a network file in: what it holds, how it reads the data, how it does there, and the button that keeps it."""
    try:
        _bring(data)
    except FairNeuronError as error:
        views.error_box(error)


def _bring(data: str) -> None:
    brought = _upload()
    if brought is None:
        return
    file, answers = _questions(brought)
    show_file(file)
    if file.described:
        views.quiet(_carried_words(file))
        _offer(brought, answers, data, None, file)
    else:
        _mapped(brought, answers, data, file)


def _upload() -> Brought | None:
    """Draw the uploader with what it takes and promises; return the accepted file of this session."""
    limit = limits_in_force().file_mb
    views.section(
        "Bring a network",
        "safetensors, PyTorch (state_dict or plain nn.Sequential), ONNX, Keras (.h5 or .keras), scikit-learn (skops). "
        f"The content decides, not the name. Up to {limit:g} MB. A file is read in a process of its own with limits on "
        "memory and time, and runs no code; nothing of a refused one is kept.",
    )
    key = f"model.upload{state.remembered(_UPLOADS, '')}"
    given = st.file_uploader(
        "Network file",
        key=key,
        max_upload_size=max(1, math.ceil(limit)),
        on_change=_changed,
        args=(key,),
    )
    brought = _accepted(given)
    if refused := state.remembered(_REFUSED):
        views.error_box(refused)
    if brought is not None and given is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{markdown_plain(brought.name)}** was brought earlier in this session\\.", width="content")
            if st.button("Put it away", key="model.put_away", icon=":material/close:"):
                _put_away()
                st.rerun()
    return brought


def _changed(key: str) -> None:
    """A file was chosen or taken away: whatever was said of the one before is over."""
    state.forget(_REFUSED)
    if state.widget(key) is None:
        state.forget(_BROUGHT)


def _accepted(given: Any) -> Brought | None:
    brought: Brought | None = state.remembered(_BROUGHT)
    if given is None or (brought is not None and brought.upload == given.file_id):
        return brought
    content = given.getvalue()
    brought = Brought(given.name, digest(content), given.file_id, content)
    try:
        network_cache.opened(brought)
    except RefusedFile as refusal:
        # Under another key the uploader begins empty: the server lets go of the bytes.
        _put_away()
        state.remember(_REFUSED, str(refusal))
        st.rerun()
    state.remember(_BROUGHT, brought)
    return brought


def _put_away() -> None:
    state.forget(_BROUGHT)
    state.forget(_REFUSED)
    number = int(str(state.remembered(_UPLOADS, ".0"))[1:] or 0)
    state.remember(_UPLOADS, f".{number + 1}")


def _questions(brought: Brought) -> tuple[NetworkFile, Answers]:
    """Ask what the file leaves open; an answer may open the next question."""
    answers: dict[str, str] = {}
    file = network_cache.opened(brought)
    for _ in range(_MOST_ROUNDS):
        asked = [question for question in file.questions if question.name not in answers]
        if not asked:
            break
        for question in asked:
            answers[question.name] = _answer(brought, question.name, question.words, question.choices)
        file = network_cache.opened(brought, tuple(sorted(answers.items())))
    return file, tuple(sorted(answers.items()))


def _answer(brought: Brought, name: str, words: str, choices: tuple[str, ...]) -> str:
    kept = state.remembered("model.answers", {})
    place = (brought.upload, name)
    before = kept.get(place)
    chosen = st.segmented_control(
        markdown_plain(words),
        choices,
        default=before if before in choices else choices[0],
        required=True,
        key=f"model.answer.{brought.upload}.{name}",
        help="The file does not say it. The first is the usual one; a wrong one shows in the right decisions below.",
    )
    state.remember("model.answers", {**kept, place: str(chosen)})
    return str(chosen)


def _carried_words(file: NetworkFile) -> str:
    return (
        "The file is one of ours: it carries its encoder, threshold and history, so there is nothing to state about "
        f"its {counted(file.inputs, 'input')}."
    )


def _mapped(brought: Brought, answers: Answers, data: str, file: NetworkFile) -> None:
    """Let the mapping be stated, and offer the network under it."""
    key = brought.key(data, answers)
    guessed, why = network_cache.first_mapping(brought, answers, data)
    start = guessed or InputMapping(next(iter(layouts(cache.dataset(data)))).columns)
    convincing = guessed is not None and _convinces(brought, answers, data, start)
    if guessed is None:
        # What was tried is the list of ways to begin with.
        views.warning_box(f"{why.partition(' Tried ')[0]} State below which columns the network reads.")
    elif convincing:
        views.quiet(f"{why} The numbers below tell whether that is right.")
    else:
        views.warning_box(f"{why} What it decides then does not convince, as is said below: state the columns here.")
    with st.expander(
        "How columns become inputs",
        # Decided by the first guess alone, and above what changes with it: it stays where the hand is that repairs it.
        expanded=not convincing,
        icon=":material/table_rows:",
        key=f"model.mapping.{key}",
    ):
        mapping = mapping_form(start, data, file, key=key)
    if mapping != start:
        views.quiet("What follows is the network under the columns as they are stated above.")
    if guessed is not None or mapping.columns != start.columns:
        _offer(brought, answers, data, mapping, file)


def _convinces(brought: Brought, answers: Answers, data: str, mapping: InputMapping) -> bool:
    try:
        return not network_cache.tried(brought, answers, data, mapping)[1].warnings
    except FairNeuronError:
        return False


def _offer(brought: Brought, answers: Answers, data: str, mapping: InputMapping | None, file: NetworkFile) -> None:
    """Show what the network does on the data, and the button that adds it."""
    try:
        found, fit = network_cache.tried(brought, answers, data, mapping)
    except FairNeuronError as error:
        views.error_box(error)
        return
    show_fit(fit, rows=len(cache.dataset(data).frame))
    kind: Literal["primary", "secondary"] = "secondary" if fit.warnings else "primary"
    if st.button("Add this network", type=kind, key="model.add", icon=":material/add:"):
        name = PurePath(brought.name).stem[:80] or "uploaded network"
        model = network_cache.keep(brought, found, mapping, name=name)
        _put_away()
        state.remember(ADDED, model)
        state.remember(BRING, False)
        state.choose(model=model)
        st.rerun()
    show_first_rows(fit, file, key=f"model.rows.{brought.key(data, answers)}")
