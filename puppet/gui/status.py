"""What the window says of the pipeline's state: one line below, and a banner above when something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QStatusBar, QWidget

from puppet.state import TOTAL

if TYPE_CHECKING:
    from puppet.state import LiveState


class StatusLine(QStatusBar):
    """The state in words at the left, figures at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self._sentence = QLabel()
        self._sentence.setAccessibleName("State")
        self._sentence.setObjectName("state")
        self.addWidget(self._sentence, 1)
        self._figures: dict[str, QLabel] = {}
        for name in ("Frames a second", "Delay", "Dropped frames", "Virtual camera", "Model"):
            label = self._figures[name] = QLabel()
            label.setAccessibleName(name)
            label.setToolTip(name)
            self.addPermanentWidget(label)

    def texts(self) -> list[str]:
        """All that it says, from left to right."""
        return [self._sentence.text(), *(label.text() for label in self._figures.values())]

    def show_state(self, state: LiveState, *, virtual_camera_name: str | None) -> None:
        """Follow the pipeline."""
        self._sentence.setText(summary(state))
        texts = (
            f"{state.fps:.0f} fps" if state.fps else "- fps",
            delay(state),
            f"{0 if state.phase == 'loading' else state.counts.dropped} dropped",
            virtual_camera(state, name=virtual_camera_name),
            model(state),
        )
        for label, text in zip(self._figures.values(), texts, strict=True):
            if label.text() != text:
                label.setText(text)
        self._figures["Model"].setToolTip(state.model or "Model")


class Banner(QWidget):
    """One sentence across the window; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setAccessibleName("Message")
        row = QHBoxLayout(self)
        row.addWidget(self._label)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def say(self, sentence: str | None, *, is_trouble: bool) -> None:
        """Show a sentence, or nothing."""
        text = sentence[:1].upper() + sentence[1:] if sentence else ""
        if text == self.text and self.property("trouble") == is_trouble:
            return
        for widget in (self, self._label):
            widget.setProperty("trouble", is_trouble)
            style = widget.style()
            if style is not None:
                style.polish(widget)  # a property in the style sheet is looked at when it is applied
        self._label.setText(text)
        self.setVisible(bool(text))


def trouble(state: LiveState) -> str | None:
    """The most important of what is wrong now, one sentence."""
    if state.failure is not None:
        return str(state.failure)
    candidates = [state.source.trouble, *(sink.trouble for sink in state.sinks), state.source.notice]
    candidates.append(state.face.sentence)
    if state.has_face is False:
        candidates.append("no face was found in the picture; turn to the camera, or let in some light")
    return next((sentence for sentence in candidates if sentence), None)


def summary(state: LiveState) -> str:
    """How it goes, in a few words."""
    if state.failure is not None or state.phase == "stopped":
        return "Stopped"
    if state.phase == "loading":
        return "Loading the model…"
    if state.avatar is None:
        return "Reading the avatar…"
    if state.is_searching:
        return "Looking for the best reference…"
    if state.source.name is None:
        return "Waiting for a camera"
    if state.source.trouble:
        return f"Waiting for {state.source.name}"
    return f"Driven by {state.source.name}"


def delay(state: LiveState) -> str:
    """From capture to output: the median, and what one of a hundred frames exceeds."""
    times = state.times.get(TOTAL)
    return "delay -" if times is None else f"delay {1000 * times.p50:.0f} ms (p99 {1000 * times.p99:.0f})"


def virtual_camera(state: LiveState, *, name: str | None) -> str:
    """Whether others see it; `name` is the virtual camera's, None if it is not wanted."""
    if name is None:
        return "virtual camera off"
    is_on = any(sink.is_open and sink.name == name for sink in state.sinks)
    return "virtual camera on" if is_on else "virtual camera waiting"


def model(state: LiveState) -> str:
    """Model and backend, without what comes after."""
    return state.model.split(",")[0] or "no model yet"
