"""A small window instead of the view in the terminal: a sign, the mood, what is sent, and buttons."""

import gc
import tkinter as tk
from threading import Thread
from tkinter import ttk
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.cli.readout import Readout
from services.cli.recording import DELETED_ELSEWHERE, ENDED_ELSEWHERE, Recording
from services.cli.view import QUESTION, View, clock, counts_words, face_words, link_words, meter, sign_style, sign_words
from services.fusion.labels import tenths
from services.fusion.schema import MoodResult, SessionResult
from shared.emotions import MOOD_MAX, MOOD_MIN
from shared.errors import MienError

_TICK_MS: Final = 100
_PREVIEW_PX: Final = 320
_SCALE_PX: Final = 320
_COLOURS: Final = {"red": "#c01c28", "yellow": "#8a5a00"}
_LOW, _MIDDLE, _HIGH = "#1a5fb4", "#5e5c64", "#c64600"


class Window:
    """Shows a recording that runs, does what its buttons say, and at the end shows the result until it is closed.

    Args:
        recording: The session.
        readout: What is found out of it.

    Attributes:
        result: The result, once there is one.
        failure: Why there is none, or why the session is not erased; None where all went well.
    """

    def __init__(self, recording: Recording, readout: Readout) -> None:
        self.result: SessionResult | None = None
        self.failure: MienError | None = None
        self._recording = recording
        self._readout = readout
        self._ending = ""
        self._weighing: Thread | None = None
        self._shows_end = False
        self.root = tk.Tk()
        self.root.title("Mien")
        self.root.protocol("WM_DELETE_WINDOW", self._close)
        self._build()

    def run(self) -> None:
        """Show it until it is closed."""
        self._tick()
        self.root.mainloop()
        self._release()

    def _build(self) -> None:
        frame = ttk.Frame(self.root, padding=12)
        frame.grid()
        self._sign = tk.Label(frame, font=("TkDefaultFont", 14, "bold"), fg="white", padx=10, pady=6)
        self._sign.grid(row=0, column=0, sticky="we")
        self._mood = MoodBar(frame)
        self._mood.grid(row=1, column=0, sticky="we", pady=8)
        self._picture = tk.Label(frame)
        self._picture.grid(row=2, column=0)
        self._photo: tk.PhotoImage | None = None
        self._level = ttk.Progressbar(frame, maximum=100)
        self._level.grid(row=3, column=0, sticky="we", pady=(8, 0))
        self._level.grid_remove()
        self._facts = ttk.Label(frame, justify="left", wraplength=_SCALE_PX)
        self._facts.grid(row=4, column=0, sticky="w", pady=8)
        self._parts = ttk.Label(frame, justify="left", wraplength=_SCALE_PX)
        self._buttons = ttk.Frame(frame)
        self._buttons.grid(row=6, column=0, sticky="we")
        self.buttons: dict[str, ttk.Button] = {}

    def _tick(self) -> None:
        """Draw how things stand now, and come again."""
        if not self._recording.over:
            self._draw(self._recording.look())
        elif self._weighing is None:
            self._weighing = Thread(target=self._weigh, name="weighing", daemon=True)
            self._weighing.start()
            self._show_end("The session is over; the evidence is being weighed.")
        elif not self._weighing.is_alive():
            if not self._shows_end:
                self._shows_end = True
                self._show_end(self._ending)
            if self._recording.stops > 1:
                self.root.destroy()
                return
        # It goes on after the end too, for only here does Python notice signals.
        self.root.after(_TICK_MS, self._tick)

    def _draw(self, view: View) -> None:
        self._sign.configure(text=sign_words(view), bg=_COLOURS[sign_style(view)])
        self._mood.show(view.summary.mood if view.summary else None, view.note or "not enough evidence yet")
        self._show_picture(self._recording.preview())
        if view.hears:
            self._level.grid()
        self._level.configure(value=meter(view.status.level_dbfs, 100))
        self._facts.configure(text=facts(view))
        if view.asks:
            self._show_buttons({"y": "yes, delete", "n": "no"})
        else:
            self._show_buttons(dict(view.keys))

    def _show_picture(self, image: NDArray[np.uint8] | None) -> None:
        self._photo = None if image is None else tk.PhotoImage(data=to_ppm(image, _PREVIEW_PX), format="PPM")
        self._picture.configure(image=self._photo if self._photo is not None else "")

    def _show_buttons(self, keys: dict[str, str]) -> None:
        if list(self.buttons) != list(keys):
            for button in self.buttons.values():
                button.destroy()
            self.buttons = {}
            for place, key in enumerate(keys):
                button = ttk.Button(self._buttons, command=lambda key=key: self._recording.press(key))  # type: ignore[misc]
                button.grid(row=place // 2, column=place % 2, sticky="we", padx=2, pady=2)
                self.buttons[key] = button
            self._buttons.columnconfigure((0, 1), weight=1)
        for key, words in keys.items():
            self.buttons[key].configure(text=words[0].upper() + words[1:])

    def _release(self) -> None:
        """Free Tk on the thread that made it: a collection of garbage on another one would end the process."""
        del self.root, self.buttons, self._sign, self._mood, self._picture, self._photo
        del self._level, self._facts, self._parts, self._buttons
        gc.collect()

    def _weigh(self) -> None:
        """Find out the result, or erase the session; on a thread, for both may take a while."""
        try:
            outcome = self._recording.outcome()
            if outcome.deleted and not self._readout.gone:
                self._ending = self._readout.erase()
                return
            self.result = self._readout.result()
            if self._readout.gone:
                self.result, self._ending = None, DELETED_ELSEWHERE
                return
            self._ending = f"{ENDED_ELSEWHERE}\n" if outcome.elsewhere else ""
            self._ending += f"{clock(outcome.ended.duration_s)} recorded, {outcome.ended.speech_chunks} utterances and "
            self._ending += f"{outcome.ended.frames} pictures sent."
        except MienError as error:
            self.failure, self._ending = error, str(error)

    def _show_end(self, words: str) -> None:
        self._sign.configure(text="ENDED: nothing is recorded", bg=_MIDDLE)
        self._show_picture(None)
        self._level.grid_remove()
        self._facts.configure(text=words)
        if self.result is not None:
            self._mood.show(self.result.mood, "there is not enough evidence for a mood")
            self._parts.configure(text=parts(self.result))
            self._parts.grid(row=5, column=0, sticky="w", pady=(0, 8))
        self._show_buttons({"close": "close"})
        self.buttons["close"].configure(command=self.root.destroy)

    def _close(self) -> None:
        """End the session in order first; closed again, go."""
        if self._recording.over and self._weighing is not None and not self._weighing.is_alive():
            self.root.destroy()
        else:
            self._recording.stop()


class MoodBar(tk.Canvas):
    """A mood as a number, a word and a mark on the scale from 1 to 5 with its interval.

    Args:
        parent: Where it goes.
    """

    def __init__(self, parent: tk.Misc) -> None:
        super().__init__(parent, width=_SCALE_PX, height=84, highlightthickness=0)

    def show(self, mood: MoodResult | None, note: str) -> None:
        """Draw a mood, or say why there is none."""
        self.delete("all")
        if mood is None:
            self.create_text(0, 20, text=note, anchor="w", width=_SCALE_PX, fill=_MIDDLE, tags="words")
            return
        colour = _LOW if mood.score < 2.5 else _HIGH if mood.score > 3.5 else _MIDDLE
        number = self.create_text(
            0, 20, text=tenths(mood.score), anchor="w", font=("TkDefaultFont", 24, "bold"), fill=colour
        )
        beside = self.bbox(number)[2] + 10
        self.create_text(beside, 20, text=f"of 5   {mood.label}", anchor="w", width=_SCALE_PX - beside, tags="words")
        self.create_line(_x(MOOD_MIN), 58, _x(MOOD_MAX), 58, width=2, fill="#9a9996")
        self.create_line(_x(mood.low), 58, _x(mood.high), 58, width=6, fill=colour)
        self.create_oval(_x(mood.score) - 6, 52, _x(mood.score) + 6, 64, fill=colour, outline="white")
        for value in range(int(MOOD_MIN), int(MOOD_MAX) + 1):
            self.create_text(_x(value), 76, text=str(value), fill=_MIDDLE)


def facts(view: View) -> str:
    """Say in lines what is heard, seen and sent."""
    status = view.status
    lines = []
    if view.hears:
        heard = "speech" if status.speaking else "no sound is recorded" if status.level_dbfs is None else "listening"
        lines.append(f"Sound: {heard}; {counts_words(status.speech)}")
    if view.sees:
        lines.append(f"Picture: {face_words(view).plain}; {counts_words(status.frames)}")
    if status.link != "connected":
        lines.append(f"Broker: {link_words(view)}")
    lines += [words for words in (status.problem, view.notice, QUESTION if view.asks else None) if words]
    return "\n".join(lines)


def parts(result: SessionResult) -> str:
    """Say in lines what each modality says and how much it counts."""
    lines = []
    for name, each in result.modalities.items():
        mood = "-" if each.mood is None else tenths(each.mood)
        lines.append(f"{name}: {mood}, {each.weight:.0%} of the answer ({'; '.join(each.reasons)})")
    return "\n".join(lines)


def to_ppm(image: NDArray[np.uint8], longest_px: int) -> bytes:
    """Return a picture as a portable pixmap, which Tk reads without a library.

    Args:
        image: RGB, uint8 array of shape (height, width, 3).
        longest_px: Its longest side, at most.
    """
    scale = min(1.0, longest_px / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    height, width = small.shape[:2]
    return b"P6 %d %d 255\n" % (width, height) + np.ascontiguousarray(small).tobytes()


def _x(mood: float) -> float:
    return 10 + (mood - MOOD_MIN) / (MOOD_MAX - MOOD_MIN) * (_SCALE_PX - 20)
