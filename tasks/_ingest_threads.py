"""Sources at work: each in a thread of its own, handing events to the one writer through a bounded queue."""

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from tasks import sources as sources_package
from tasks.settings_schema import Settings
from tasks.sources._model import Assignment, Event, Source

# Pages that may wait for the writer: about 20 MB at most.
QUEUE_LENGTH = 150
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """A source's thread is over; `defect` is an exception that no source should let out."""

    source: str
    defect: BaseException | None


Received = Event | Ended


def configured_sources(settings: Settings) -> list[Source]:
    """Every configured source; a file in tasks/sources is all it takes to add one."""
    names = sorted(m.name for m in iter_modules(sources_package.__path__) if not m.name.startswith("_"))
    found: list[Source] = []
    for name in names:
        found.extend(import_module(f"tasks.sources.{name}").build(settings))
    return found


class Channel:
    """The queue between the sources and the writer, and the word to stop."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._queue: queue.Queue[Received] = queue.Queue(QUEUE_LENGTH)

    def offer(self, event: Received) -> bool:
        """Hand an event to the writer if it takes it at once; never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            return False
        return True

    def emit(self, event: Received) -> None:
        """Hand an event to the writer; waits while it is behind, gives up when the run stops."""
        while not self.stop.is_set():
            try:
                self._queue.put(event, timeout=PATIENCE_SECONDS)
            except queue.Full:
                continue
            return

    def events(self, sources: int) -> Iterator[Event]:
        """Everything that the sources say until all of them have ended.

        Raises:
            BaseException: what a source should not have let out, once all have ended.
        """
        defects: list[BaseException] = []
        while sources:
            event = self._queue.get()
            if isinstance(event, Ended):
                sources -= 1
                defects.extend([event.defect] if event.defect else [])
            else:
                yield event
        if defects:
            raise defects[0]


@contextmanager
def at_work(work: Sequence[tuple[Source, Assignment]], channel: Channel) -> Generator[None]:
    """Run the sources while the block runs; when it ends early they are told to stop."""
    threads = [
        threading.Thread(target=_run, args=(*item, channel), name=f"source {item[0].name}", daemon=True)
        for item in work
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        channel.stop.set()
        for thread in threads:
            thread.join(timeout=PATIENCE_SECONDS)


def _run(source: Source, assignment: Assignment, channel: Channel) -> None:
    defect: BaseException | None = None
    try:
        source.run(assignment)
    except BaseException as error:  # noqa: BLE001, RUF100 - a thread must not die unheard; it is raised by the writer
        defect = error
    channel.emit(Ended(source.name, defect))
