"""The one way in which an allocation fails.

Solvers and libraries raise a dozen exception types; they are caught where they are called and become this
one, so that the ladder of fallbacks has one thing to catch and the recommendation one thing to show.
"""


class AllocationFailure(Exception):  # noqa: N818 - a failed method is an outcome of the ladder, not a defect
    """A method could not give an allocation.

    Args:
        reason: short code, such as `infeasible`, `bad_input`, `solver`, `not_verified`.
        detail: what was found, as a sentence.
        remedy: what to do about it, as a sentence.
    """

    def __init__(self, reason: str, detail: str, remedy: str) -> None:
        super().__init__(f"{reason}: {detail} {remedy}")
        self.reason = reason
        self.detail = detail
        self.remedy = remedy
