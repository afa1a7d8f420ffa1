"""A step: one task verb with its name, its retries and its time limit, and how it is carried out.

A story (``flows/stories.py``) is written once over steps and receives a runner. The command line passes
``run_directly``; a deployment passes ``flows.prefect_runner.run_as_task``. This module knows nothing of
Prefect, so that a run from the terminal never pays for importing it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from tasks.context import RunContext

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[P, T]):
    """One verb of a story.

    Attributes:
        name: What Prefect's page calls it, in plain words.
        fn: The verb, ``verb(context, …small plain arguments) -> frozen summary``.
        retries: How often a deployment tries again; only for verbs that may be repeated without harm.
        retry_delay_seconds: The wait before each retry, in seconds; the last one is used for those beyond it.
        timeout_seconds: When a deployment gives the step up; a step that hangs would hold its slot for ever.
    """

    name: str
    fn: Callable[Concatenate[RunContext, P], T]
    retries: int = 0
    retry_delay_seconds: tuple[float, ...] = ()
    timeout_seconds: float = 900

    def __post_init__(self) -> None:
        """Refuse a step that would retry at once: a source in trouble is not hammered."""
        if self.retries and not self.retry_delay_seconds:
            raise ValueError(
                f"Step {self.name!r} declares {self.retries} retries and no delay between them. "
                "Give retry_delay_seconds, for example (30, 120)."
            )


class Runner(Protocol):
    """How a story's steps are carried out."""

    def __call__(self, step: Step[P, T], context: RunContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out one step and hand back its summary; what it raises passes through."""
        ...


def run_directly(step: Step[P, T], context: RunContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Carry out a step as a plain call: no retry of the whole step and no time limit.

    Someone at a terminal sees the failure at once and decides; each request still has its own attempts and
    deadline.
    """
    return step.fn(context, *args, **kwargs)
