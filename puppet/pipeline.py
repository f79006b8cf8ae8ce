"""The live pipeline: capture, infer and present, each in a thread of its own, with mailboxes of one place between.

Anybody may pull a snapshot with `state()` at any time, from any thread; nothing is pushed.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import cv2

from engines.errors import EngineError
from puppet.errors import PuppetError
from puppet.latest import Closed, Latest
from puppet.settings import Settings
from puppet.sinks.base import OutputMode
from puppet.stages.capture import Capture
from puppet.stages.infer import Infer
from puppet.stages.present import Present
from puppet.state import Board, LiveState, Shot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from puppet.avatar import Avatar
    from puppet.framing import FindsFaces, Square
    from puppet.sinks.base import Sink
    from puppet.sources.base import Source
    from puppet.stages.model import Model
    from puppet.types import Frame, Image, Motion

log = logging.getLogger(__name__)


class Pipeline:
    """Runs from `start` to `stop`, or within `with`. Every method may be called from any thread.

    Example:
        with Pipeline(open_puppeteer, source=camera, sinks=[VirtualCamera()]) as pipeline:
            pipeline.load_avatar(path).result()
            pipeline.wait(60.0)
    """

    def __init__(
        self,
        open_puppeteer: Callable[[], Model],
        *,
        source: Source | None = None,
        sinks: Sequence[Sink] = (),
        settings: Settings | None = None,
        mode: OutputMode | None = None,
        is_patient: bool = False,
        open_finder: Callable[[], FindsFaces] | None = None,
    ) -> None:
        """Put it together; nothing runs or is opened yet.

        Args:
            open_puppeteer: loads the model; called in the thread that will use it.
            source: where frames come from; None until `use_source`.
            sinks: where pictures go.
            settings: to begin with.
            mode: size and rate of the output.
            is_patient: what cannot be opened at the start is tried again, as it always is later, instead of ending.
            open_finder: loads the face detector; the bundled one by default.
        """
        settings = settings or Settings()
        self.mode = mode or OutputMode()
        self._board = Board()
        self._frames: Latest[Frame] = Latest()
        self._shots: Latest[Shot] = Latest()
        self._capture = Capture(source, self._frames, self._board, is_patient=is_patient)
        self._infer = Infer(
            open_puppeteer,
            open_finder or _bundled_finder,
            self._frames,
            self._shots,
            board=self._board,
            settings=settings,
        )
        self._present = Present(
            sinks, self._shots, self._board, mode=self.mode, settings=settings, is_patient=is_patient
        )
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._failure: Exception | None = None
        stages = {"capture": self._capture.run, "infer": self._infer.run, "present": self._present.run}
        self._threads = [
            threading.Thread(target=self._guard, args=(name, run), name=name) for name, run in stages.items()
        ]

    @property
    def settings(self) -> Settings:
        """Replace it to change something; the next frame follows it."""
        return self._infer.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._infer.settings = settings
        self._present.settings = settings

    def state(self) -> LiveState:
        """A snapshot; cheap enough for a timer."""
        dropped = self._frames.dropped - self._infer.dropped_before + self._shots.dropped + self._present.dropped
        return self._board.state(dropped)

    def start(self) -> None:
        """Start the threads."""
        # One picture at a time is small work: helpers of OpenCV's own would only take the processor from the model.
        cv2.setNumThreads(1)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and free what they hold; calling it twice is allowed.

        Raises:
            PuppetError: what ended the pipeline before, or a sink that could not keep what it was shown.
            EngineError: the model failed.
        """
        self.end()
        if self._failure is not None:
            raise self._failure

    def end(self) -> None:
        """As `stop`, but a failure is only told by `state`."""
        self._halt()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._board.update(phase="stopped")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the pipeline ends by itself; returns whether it did within that time, seconds."""
        return self._ended.wait(timeout)

    def load_model(self, open_puppeteer: Callable[[], Model]) -> Future[None]:
        """Use another model, loaded by that call in the thread that will use it; then load the avatar again."""
        return self._infer.orders.give(lambda: self._infer.load_model(open_puppeteer))

    def load_avatar(self, path: Path, square: Square | None = None) -> Future[Avatar]:
        """Make a part of a picture file, None: around its face, the avatar. The last avatar stays until it is ready."""
        return self._infer.orders.give(lambda: self._infer.load_avatar(path, square))

    def frame_avatar(self, path: Path) -> Future[tuple[Image, Square]]:
        """A picture file's picture, and the part of it that would be the avatar."""
        return self._infer.orders.give(lambda: self._infer.frame_avatar(path))

    def set_avatar(self, image: Image, name: str) -> Future[Avatar]:
        """Make a framed picture, uint8 (H, H, 3) RGB, the avatar."""
        return self._infer.orders.give(lambda: self._infer.set_avatar(image, name=name))

    def calibrate(self, motion: Motion | None = None) -> Future[None]:
        """Count relative motion from here: from the next frame, framed anew, or from a motion that was chosen."""
        return self._infer.orders.give(lambda: self._infer.calibrate(motion))

    def find_reference(self, seconds: float = 4.0) -> Future[None]:
        """Watch the driver for so long, then count from the moment nearest to the avatar's pose."""
        return self._infer.orders.give(lambda: self._infer.search(seconds))

    def use_source(self, source: Source | None) -> None:
        """Change over to another source, or to none."""
        self._capture.use(source)

    def add_sink(self, sink: Sink) -> Future[None]:
        """Show pictures there too; one that is lost for now is kept and tried again, whatever the future says."""
        return self._present.orders.give(lambda: self._present.add(sink))

    def remove_sink(self, sink: Sink) -> Future[None]:
        """Show no more pictures there; done once it is closed, so that a recording is complete."""
        return self._present.orders.give(lambda: self._present.remove(sink))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self.end()

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        """The first failure of any thread ends them all, and is kept for the user."""
        try:
            run()
        except Closed:
            pass  # the ordinary end
        except (PuppetError, EngineError) as error:
            self._fail(error)
        except Exception as error:
            log.info("traceback", exc_info=True)
            failure = PuppetError(
                f"{name} failed ({type(error).__name__}: {error}); "
                "this is a fault of the program, --verbose shows where"
            )
            failure.__cause__ = error
            self._fail(failure)
        finally:
            self._halt()

    def _fail(self, error: Exception) -> None:
        with self._lock:
            if self._failure is not None:
                log.info("failed too: %s", error)
                return
            self._failure = error
        self._board.update(failure=error)

    def _halt(self) -> None:
        self._capture.stop()
        self._frames.close()
        self._shots.close()
        self._ended.set()


def _bundled_finder() -> FindsFaces:
    from engines.faces import FaceFinder

    return FaceFinder()
