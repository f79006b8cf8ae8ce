"""The panel of settings: one control a field, made from the field's type, bounds, title and description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import annotated_types
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFormLayout, QFrame, QLabel, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from puppet.gui.widgets import Choice, Colour, Control, File, Parts, PlainTabs, Slider, Switch
from puppet.swap_options import swappable

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from puppet.settings import Settings

PAGES = {"live": "Movement", "camera": "Camera", "output": "Output"}
"""Groups of `Settings`, in the order of the tabs."""
SUBORDINATE = ("swap_", "colour", "picture")
"""How fields begin that say more about another one."""


class ControlPanel(QTabWidget):
    """Shows all settings; emits the new ones when the user changes one."""

    changed = pyqtSignal(object)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.setTabBar(PlainTabs())
        self.setDocumentMode(True)
        self.setAccessibleName("Settings")
        self.controls: dict[tuple[str, str], Control] = {}
        """By group and field."""
        self.part_names: tuple[str, ...] = ()
        """That can be swapped."""
        self._settings = settings
        self._forms: dict[str, QFormLayout] = {}
        for group, title in PAGES.items():
            self.addTab(self._page(group, getattr(settings, group)), title)
        self._follow()

    @property
    def settings(self) -> Settings:
        """As the controls show them."""
        return self._settings

    def show_settings(self, settings: Settings) -> None:
        """Show other settings; nothing is emitted."""
        if settings == self._settings:
            return
        self._settings = settings
        for (group, name), control in self.controls.items():
            control.set_value(getattr(getattr(settings, group), name))
        self._follow()

    def offer_parts(self, names: tuple[str, ...]) -> None:
        """What can be swapped, once the model is known; nothing if it cannot."""
        self.part_names = names
        offered = swappable(names)
        for control in self.controls.values():
            if isinstance(control, Parts) and control.names != offered:
                control.offer(offered)
        self._follow()

    def add_row(self, group: str, title: str, control: Control) -> None:
        """Show a control there that is no setting of the pipeline."""
        self._forms[group].addRow(_label(title, control), control)

    def _page(self, group: str, values: BaseModel) -> QWidget:
        form = QFormLayout()
        self._forms[group] = form
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(round(self.fontMetrics().height() * 0.6))
        for name, field in type(values).model_fields.items():
            control = make_control(field)
            control.set_value(getattr(values, name))
            control.changed.connect(lambda group=group, name=name: self._change(group, name))
            self.controls[group, name] = control
            if control.has_own_title:
                form.addRow(control)
            else:
                form.addRow(_label(field.title or name, control), control)
        page = QWidget()
        page.setLayout(QVBoxLayout())
        page.layout().addLayout(form)  # type: ignore[union-attr]
        page.layout().addStretch()  # type: ignore[union-attr]
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(page)
        return area

    def _change(self, group: str, name: str) -> None:
        old = getattr(self._settings, group)
        new = type(old).model_validate({**old.model_dump(), name: self.controls[group, name].value()})
        if new != old:
            self._settings = self._settings.model_copy(update={group: new})
            self._follow()
            self.changed.emit(self._settings)

    def _follow(self) -> None:
        """What has no effect at the moment cannot be changed, and what goes with a choice is there with it alone."""
        settings = self._settings
        is_relative, is_swapping = settings.live.mode == "relative", bool(settings.live.swap)
        can_swap = any(isinstance(control, Parts) and control.names for control in self.controls.values())
        states = {
            **{
                ("live", name): is_relative
                for name in ("strength", "mouth", "eyes", "head", "masks", "adapt_scale", "adapt_tilt", "limits")
            },
            ("live", "swap"): can_swap,
            ("live", "swap_inverse"): is_swapping,
            ("live", "swap_hard"): is_swapping,
            ("live", "swap_feather"): is_swapping,
            ("live", "swap_colour"): is_swapping,
            ("live", "swap_mask"): is_swapping,
            ("output", "background"): settings.output.fit == "centre",
            ("output", "colour"): settings.output.background == "colour",
            ("output", "picture"): settings.output.background == "picture",
        }
        for key, is_enabled in states.items():
            self.controls[key].setEnabled(is_enabled)
            if key[1].startswith(SUBORDINATE):
                self._forms[key[0]].setRowVisible(self.controls[key], is_enabled)


def make_control(field: FieldInfo) -> Control:
    """The control for a field.

    Raises:
        TypeError: nobody said how a field of that type is shown.
    """
    kind, title, text = field.annotation, field.title or "", field.description or ""
    if kind is bool:
        return Switch(title, text)
    if kind is float:
        return Slider(title, text, bounds=_bounds(field))
    if get_origin(kind) is Literal:
        return Choice(title, text, choices=get_args(kind))
    if get_origin(kind) is tuple:
        return Parts(title, text) if Ellipsis in get_args(kind) else Colour(title, text)
    if type(None) in get_args(kind):
        return File(title, text)
    raise TypeError(f"no control shows {title!r}, whose type is {kind}")


def _label(title: str, control: Control) -> QLabel:
    """As high as the control, or the two would not stand on one line."""
    label = QLabel(title)
    label.setBuddy(control.inner)
    label.setToolTip(control.toolTip())
    control.inner.ensurePolished()
    label.setMinimumHeight(control.sizeHint().height())
    return label


def _bounds(field: FieldInfo) -> tuple[float, float]:
    low: Any = next(item.ge for item in field.metadata if isinstance(item, annotated_types.Ge))
    high: Any = next(item.le for item in field.metadata if isinstance(item, annotated_types.Le))
    return float(low), float(high)
