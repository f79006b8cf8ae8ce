"""One sentence over the result, and what can be done about it with one click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["note", "warning", "trouble"]


@dataclass(frozen=True)
class Offer:
    """What a button beside a sentence does."""

    label: str
    run: Callable[[], object]


class Banner(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setAccessibleName("Message")
        self.button = QPushButton()
        self.button.setAccessibleName("Suggested action")
        self.button.clicked.connect(self._accept)
        self._offer: Offer | None = None
        self._shown: tuple[str, Kind, Offer | None] = ("", "note", None)
        row = QHBoxLayout(self)
        row.addWidget(self._label, 1)
        row.addWidget(self.button)
        self.button.hide()
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def say(self, sentence: str | None, kind: Kind = "note", offer: Offer | None = None) -> None:
        """Show a sentence, or nothing."""
        text = sentence[:1].upper() + sentence[1:] if sentence else ""
        if (text, kind, offer) == self._shown:
            return
        self._shown, self._offer = (text, kind, offer), offer
        for widget in (self, self._label, self.button):
            widget.setProperty("kind", kind)
            style = widget.style()
            if style is not None:
                style.polish(widget)  # a property in the style sheet is looked at when it is applied
        self._label.setText(text)
        self.button.setText("" if offer is None else offer.label)
        self.button.setVisible(offer is not None)
        self.setVisible(bool(text))

    def _accept(self) -> None:
        if self._offer is not None:
            self._offer.run()
