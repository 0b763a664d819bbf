from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QSlider, QToolBar, QToolButton, QWidget

from ebmlab.gui import theme
from ebmlab.gui.actions import Actions

SPEEDS: tuple[float | None, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, None)
"""Steps per second; None for as fast as the machine goes."""
BEATS = (4.0, 3.0, 2.0, 1.5, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05)
"""Seconds that a stage is shown for in slow motion, one for each speed."""


_SPARE = ("find", "present", "undo", "reset")
"""Buttons that lose their text, in this order, where there is no room for it."""


class Transport(QToolBar):
    """Run, step, slow motion, speed, reset, undo: what steers a run, in one row.

    Signals:
        speed_chosen: Steps per second; None for no limit.
        beat_chosen: Seconds per stage, while in slow motion.
    """

    speed_chosen = Signal(object)
    beat_chosen = Signal(float)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._slow = False
        self._places = {False: len(SPEEDS) - 1, True: 5}
        self.setObjectName("transport")
        self.setWindowTitle(self.tr("Transport"))
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for name in ("run", "step", "slow-motion"):
            self._place(actions[name])
        self._add_speed()
        self.addSeparator()
        for name in ("reset", "undo", "redo"):
            self._place(actions[name])
        self._add_space()
        self._place(actions["present"])
        self._place(actions["find"])
        self.button("run").setProperty("primary", True)
        self.button("redo").setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        actions["run"].changed.connect(self._ink_run)  # the button has taken the action's own icon again
        theme.signals.changed.connect(self._dress)
        self._dress()

    def button(self, name: str) -> QToolButton:
        """Returns the button of an action."""

        button = self.widgetForAction(self._actions[name])
        assert isinstance(button, QToolButton)
        return button

    @property
    def speed(self) -> float | None:
        """Steps per second; None for no limit."""

        return SPEEDS[self._places[False]]

    @property
    def beat(self) -> float:
        """Seconds per stage in slow motion."""

        return BEATS[self._places[True]]

    def set_running(self, running: bool) -> None:
        """Says on the first button what it would do."""

        self._actions["run"].setText(self.tr("Pause") if running else self.tr("Run"))
        self._actions.set_icon("run", "pause" if running else "run")
        self._make_room()

    def set_slow(self, slow: bool) -> None:
        """Lets the slider set the seconds per stage rather than the steps per second."""

        self._slow = slow
        self._slider.setValue(self._places[slow])
        self._say()

    def set_speed(self, speed: float | None) -> None:
        """Chooses the steps per second, as the slider would."""

        if speed in SPEEDS and not self._slow:
            self._slider.setValue(SPEEDS.index(speed))

    def shift(self, places: int) -> None:
        """Moves the speed by a number of places."""

        self._slider.setValue(self._slider.value() + places)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Takes the text from as many buttons as it needs for all of them to be seen."""

        for name in _SPARE:
            self.button(name).setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        layout = self.layout()
        assert layout is not None
        layout.invalidate()
        for name in _SPARE:
            if self.sizeHint().width() <= self.width():
                break
            self.button(name).setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            layout.invalidate()
        layout.activate()

    def _place(self, action: QAction) -> None:
        self.addAction(action)
        button = self.widgetForAction(action)
        button.setObjectName(f"button-{action.objectName()}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(action.text().replace("&", ""))

    def _add_speed(self) -> None:
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("speed")
        self._slider.setRange(0, len(SPEEDS) - 1)
        self._slider.setValue(self._places[False])
        self._slider.setPageStep(1)
        self._slider.setAccessibleName(self.tr("Speed"))
        self._slider.valueChanged.connect(self._moved)
        self._value = QLabel()
        self._value.setProperty("muted", True)
        for widget in (self._slider, self._value):
            self.addWidget(widget)
        self._say()

    def _add_space(self) -> None:
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)

    def _moved(self, place: int) -> None:
        if place == self._places[self._slow]:
            return
        self._places[self._slow] = place
        self._say()
        if self._slow:
            self.beat_chosen.emit(self.beat)
        else:
            self.speed_chosen.emit(self.speed)

    def _say(self) -> None:
        if self._slow:
            self._value.setText(self.tr("{} s a stage").format(self.beat))
        elif self.speed is None:
            self._value.setText(self.tr("full speed"))
        else:
            self._value.setText(self.tr("{} steps/s").format(f"{self.speed:,.0f}"))
        tip = self.tr("Seconds per stage") if self._slow else self.tr("Most steps per second")
        self._slider.setToolTip(f"{tip} ([ ])")

    def _ink_run(self) -> None:
        """Draws the first icon in the colour that stands on the accent."""

        look = theme.current()
        paused = self._actions["run"].text() == self.tr("Run")
        name = "run" if paused else "pause"
        self.button("run").setIcon(theme.pixmap(name, look.px(32), look.palette.on_accent))

    def _dress(self) -> None:
        look = theme.current()
        self.setIconSize(QSize(look.px(16), look.px(16)))
        self._slider.setFixedWidth(look.px(90))
        self._value.setFixedWidth(look.px(90))
        self._ink_run()
        self._make_room()
