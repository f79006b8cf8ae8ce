"""What the window says of the pipeline's state, in words and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QStatusBar
from typing_extensions import override

from puppet.sources.base import Performed
from puppet.state import MODEL, TOTAL

if TYPE_CHECKING:
    from puppet.state import LiveState


TIPS = {
    "Frames a second": "Pictures that the model makes in a second",
    "Model": "Time that the model takes: half of the frames take less than the first number, 99 of 100 less than the "
    "second",
    "Total": "From the camera to the output: half of the frames take less than the first number, 99 of 100 less than "
    "the second",
    "Dropped frames": "Frames of the camera that were skipped, so that the newest is shown",
    "Face": "Whether your face is where it was when you calibrated",
    "Virtual camera": "Whether other programs see the result",
    "Backend": "What runs the model",
}
FACES = {"unknown": "face -", "seen": "face in view", "left": "face left", "drifted": "face turned away"}


class StatusLine(QStatusBar):
    """The state in words at the left, figures at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self._sentence = Elided(letters=24)
        self._sentence.setAccessibleName("State")
        self._sentence.setObjectName("state")
        self.addWidget(self._sentence, 2)
        self._figures: dict[str, QLabel] = {}
        for name in ("Frames a second", "Model", "Total", "Dropped frames", "Face", "Virtual camera"):
            self._figures[name] = QLabel()
        self._figures["Backend"] = Elided()
        for name, label in self._figures.items():
            label.setAccessibleName(name)
            label.setToolTip(TIPS[name])
            self.addPermanentWidget(label, 3 if isinstance(label, Elided) else 0)

    def texts(self) -> list[str]:
        """All that it says, from left to right."""
        return [self._sentence.text(), *(label.text() for label in self._figures.values())]

    def show_state(self, state: LiveState, *, virtual_camera_name: str | None, recording_s: float | None) -> None:
        """Follow the pipeline; a recording of so many seconds is told first, None: there is none."""
        minutes, seconds = divmod(int(recording_s or 0), 60)
        recording = "" if recording_s is None else f"Recording {minutes}:{seconds:02} · "
        self._sentence.setText(recording + summary(state))
        texts = (
            f"{state.fps:.0f} fps" if state.fps else "- fps",
            delay(state, MODEL),
            delay(state, TOTAL),
            f"{0 if state.phase == 'loading' else state.counts.dropped} dropped",
            face(state),
            virtual_camera(state, name=virtual_camera_name),
            state.model.replace(" on ", ", ", 1) or "no model yet",
        )
        for label, text in zip(self._figures.values(), texts, strict=True):
            if label.text() != text:
                label.setText(text)
        self._figures["Backend"].setToolTip(state.model or TIPS["Backend"])


class Elided(QLabel):
    """Cuts its text off where there is no room, instead of asking for more."""

    def __init__(self, text: str = "", *, letters: int = 8) -> None:
        """Take the number of letters for which there is always room."""
        super().__init__(text)
        self._letters = letters

    @override
    def minimumSizeHint(self) -> QSize:
        least = self.fontMetrics().averageCharWidth() * self._letters
        return QSize(min(least, self.sizeHint().width()), super().minimumSizeHint().height())

    @override
    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return hint.expandedTo(QSize(self.fontMetrics().horizontalAdvance(self.text()) + hint.height(), 0))

    @override
    def paintEvent(self, event: QPaintEvent | None) -> None:
        room = self.contentsRect().adjusted(self.fontMetrics().height() // 2, 0, -self.fontMetrics().height() // 4, 0)
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
        painter.end()


def trouble(state: LiveState) -> str | None:
    """The most important of what does not work now, one sentence."""
    if state.failure is not None:
        return str(state.failure)
    candidates = (state.source.trouble, *(sink.trouble for sink in state.sinks))
    return next((sentence for sentence in candidates if sentence), None)


def warning(state: LiveState) -> str | None:
    """The most important of what works and does not look as it should, one sentence."""
    faceless = "no face was found in the picture; turn to the camera, or let in some light"
    candidates = (state.source.notice, state.face.sentence, faceless if state.has_face is False else None)
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


def source(state: LiveState) -> str | None:
    """What comes from the source, in a few words; None while nothing does."""
    mode, fps = state.source.mode, state.source.fps
    if state.source.name is None or mode is None or isinstance(state.frame, Performed):
        return None
    return f"{state.source.name}: {mode.width}x{mode.height}" + (f", {fps:.0f} pictures a second" if fps else "")


def delay(state: LiveState, name: str) -> str:
    """A time: the median, and what one of a hundred frames exceeds."""
    times = state.times.get(name)
    return f"{name} -" if times is None else f"{name} {1000 * times.p50:.0f} / {1000 * times.p99:.0f} ms"


def face(state: LiveState) -> str:
    """How the driver stands to the camera, in two words."""
    return "no face" if state.has_face is False else FACES[state.face.kind]


def virtual_camera(state: LiveState, *, name: str | None) -> str:
    """Whether others see it; `name` is the virtual camera's, None if it is not wanted."""
    if name is None:
        return "virtual camera off"
    is_on = any(sink.is_open and sink.name == name for sink in state.sinks)
    return "virtual camera on" if is_on else "virtual camera waiting"
