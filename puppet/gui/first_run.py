"""The first run: a notice, then three steps: the camera by its live picture, the avatar, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from puppet.gui import status
from puppet.gui.dialogs import NOTICE
from puppet.gui.feed import LINED_UP, Ghost, feed_camera
from puppet.gui.preview import PictureView
from puppet.gui.rows import Rows
from puppet.gui.style import enlarge
from puppet.sources.base import Performed

if TYPE_CHECKING:
    from PyQt6.QtGui import QImage

    from puppet.gui.window import Window
    from puppet.state import LiveState

WIDE = 16 / 9
TITLE_SIZE, NOTICE_SIZE = 1.7, 1.1
"""Of the text, over the usual size."""
NOTICE_PAGE, CAMERA, AVATAR, CALIBRATE = range(4)
TITLES = ("Before you begin", "Choose your camera", "Choose an avatar", "Calibrate")
LEADS = (
    "",
    "The avatar moves as the person in this picture does. Sit so that your face is well lit and in the middle.",
    "This picture will move as you do. Add pictures of your own at any time.",
    "Hold your head as the avatar holds its own, look at the camera, and press the button. "
    "The avatar then moves from this pose; press C whenever you want to do it again.",
)
NEXT = ("I understand", "Next", "Next", "Done")
NO_CAMERA = (
    "No camera was found.\nPlug one in and it appears here by itself,\n"
    "or drive the avatar with a video file or the scripted performance."
)
NOBODY = "Nobody drives the avatar yet: calibrate with the key C once a camera or a video does"
READY = "Press the button, and hold still until the countdown ends"
CALIBRATED = "Done: turn your head, and the avatar turns as well"


class FirstRun(QDialog):
    """Lies over the window; what is chosen here is chosen there."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.setWindowTitle("Set-up")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._window = window
        self._calibrated: int | None = None
        """How often that had been done when the last step began."""
        self._unit = self.fontMetrics().height()
        self.pages = QStackedWidget()
        self.step_label, self.title, self.lead = QLabel(), QLabel(), QLabel()
        self.step_label.setObjectName("caption")
        enlarge(self.title, TITLE_SIZE)
        self.lead.setWordWrap(True)
        self.lead.setObjectName("lead")
        self.camera, self.pose_camera = (PictureView("Camera", aspect=WIDE, units=60) for _ in range(2))
        self.results = [PictureView("Result", aspect=1.0, units=36) for _ in range(3)]
        """Of the pages without the camera's own."""
        self.word, self.pose_word = (_words("State of the camera"), _words("State of the calibration"))
        self.sources = Rows("Sources", window.parts.picker.model(), self._pick_source)
        self.avatars = Rows("Avatars", window.parts.strip.model(), window.parts.strip.pick)
        self.calibrate = QPushButton("Calibrate")
        self.calibrate.setObjectName("primary")
        self.calibrate.clicked.connect(lambda: window.commands.calibrate())
        self.skip, self.back, self.next = QPushButton("Skip the set-up"), QPushButton("Back"), QPushButton()
        self.skip.clicked.connect(self.accept)
        self.back.clicked.connect(lambda: self.go(self.pages.currentIndex() - 1))
        self.next.clicked.connect(self._go_on)
        self.next.setObjectName("primary")
        self.next.setDefault(True)
        self._lay_out()
        self.go(CAMERA if window.has_agreed else NOTICE_PAGE)

    def go(self, page: int) -> None:
        """Show a page."""
        self.pages.setCurrentIndex(page)
        self.step_label.setText(f"Step {page} of 3" if page else "Welcome")
        self.title.setText(TITLES[page])
        self.lead.setText(LEADS[page])
        self.lead.setVisible(bool(LEADS[page]))
        self.next.setText(NEXT[page])
        self.back.setVisible(page > CAMERA)
        self.skip.setVisible(CAMERA <= page < CALIBRATE)
        self._calibrated = None
        focus = (self.next, self.sources, self.avatars, self.calibrate)[page]
        (focus if focus.isEnabled() else self.next).setFocus()

    def follow(self, state: LiveState, avatar: QImage | None, countdown: str) -> None:
        """Show what the pipeline does."""
        settings, page = self._window.commands.settings, self.pages.currentIndex()
        self.sources.mark(self._window.parts.picker.currentIndex())
        self.avatars.mark(self._window.parts.strip.currentRow())
        self.calibrate.setEnabled(not _is_nobody(state))
        shot = state.shot
        for view in self.results:
            view.show_picture(None if shot is None or shot.rendered is None else shot.rendered.image)
            view.show_text(_sentence(self._window.models.work(state.phase)[0]) or status.summary(state))
        if page == CAMERA:
            feed_camera(self.camera, state, settings, ghost=Ghost(None, 0.0))
            if self._window.parts.picker.cameras == [] and _is_nobody(state):
                self.camera.show_pose(None)
                self.camera.show_text(NO_CAMERA)
            self.word.setText(_sentence(state.source.trouble or state.source.notice) or status.source(state) or "")
        elif page == CALIBRATE:
            if self._calibrated is None:
                self._calibrated = state.calibrated
            feed_camera(self.pose_camera, state, settings, ghost=Ghost(avatar, LINED_UP))
            self.pose_camera.show_mark(countdown)
            self.pose_word.setText(self._calibration_word(state))

    @override
    def sizeHint(self) -> QSize:
        return QSize(58 * self._unit, 33 * self._unit)

    def _calibration_word(self, state: LiveState) -> str:
        if _is_nobody(state):
            return NOBODY
        is_new = self._calibrated is not None and state.calibrated > self._calibrated
        return _sentence(status.trouble(state) or status.warning(state)) or (CALIBRATED if is_new else READY)

    def _go_on(self) -> None:
        page = self.pages.currentIndex()
        if page == NOTICE_PAGE:
            self._window.agree()
        if page == CALIBRATE:
            self.accept()
        else:
            self.go(page + 1)

    def _pick_source(self, row: int) -> None:
        picker = self._window.parts.picker
        picker.setCurrentIndex(row)
        picker.activated.emit(row)

    def _lay_out(self) -> None:
        self.sources.setMaximumWidth(20 * self._unit)
        self.avatars.setViewMode(QListView.ViewMode.IconMode)
        self.avatars.setMovement(QListView.Movement.Static)
        self.avatars.setIconSize(self._window.parts.strip.iconSize())
        notice = QLabel(NOTICE)
        notice.setWordWrap(True)
        notice.setTextFormat(Qt.TextFormat.RichText)
        enlarge(notice, NOTICE_SIZE)
        add = QPushButton("Add pictures…")
        add.clicked.connect(lambda: self._window.gallery.ask())
        self.pages.addWidget(_row(notice, self.results[0]))
        self.pages.addWidget(_row(self.sources, _column(self.camera, self.word)))
        self.pages.addWidget(_row(_column(self.avatars, add), self.results[1]))
        self.pages.addWidget(
            _column(_row(self.pose_camera, self.results[2], stretch=(16, 9)), _row(self.calibrate, self.pose_word))
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip)
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        whole = QVBoxLayout(self)
        gap = round(1.4 * self._unit)
        whole.setContentsMargins(gap, gap, gap, gap)
        whole.setSpacing(round(0.5 * self._unit))
        for label in (self.step_label, self.title, self.lead):
            whole.addWidget(label)
        whole.addSpacing(self._unit // 2)
        whole.addWidget(self.pages, 1)
        whole.addSpacing(self._unit // 2)
        whole.addLayout(buttons)


def _words(name: str) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    return label


def _row(*widgets: QWidget, stretch: tuple[int, ...] = ()) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(holder.fontMetrics().height())
    for widget in widgets:
        row.addWidget(widget)
    for index, share in enumerate(stretch):
        row.setStretch(index, share)
    return holder


def _column(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        column.addWidget(widget)
    return holder


def _is_nobody(state: LiveState) -> bool:
    return state.frame is None or isinstance(state.frame, Performed)


def _sentence(text: str | None) -> str:
    return text[:1].upper() + text[1:] if text else ""
