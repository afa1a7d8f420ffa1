"""`python -m tests.portfolio.guard_table`: the tables of docs/guard.md, in some minutes."""

from collections import Counter
from datetime import datetime

from tests.portfolio.recorded_hours import BOOKS, EPISODES, Record, replay, years_of


def _first(record: Record, kind: str, span: tuple[datetime, datetime]) -> str:
    found = [one for one in record.onsets if one[0] == kind and span[0] <= one[2] < span[1]]
    told = list[str]()
    for subject in dict.fromkeys(one[1] for one in found):
        mine = [one for one in found if one[1] == subject]
        _, _, visible, alerted = mine[0]
        assert alerted is not None
        when = "told then" if alerted == visible else f"told since {alerted:%Y-%m-%d %H:%M}"
        told.append(f"{subject.removesuffix(' at binance')} {visible:%m-%d %H:%M}, {when} ({len(mine)})")
    return "; ".join(told) or "none"


def main() -> None:
    """Print both tables."""
    records = {book.name: replay(book, *years_of(book)) for book in BOOKS}
    for name, span in EPISODES.items():
        print(f"\n| {name} | margin: first hour visible (breaches) | delta |\n| --- | --- | --- |")
        for book, record in records.items():
            print(f"| {book} | {_first(record, 'margin', span)} | {_first(record, 'delta', span)} |")
    print("\n| book | months | breaches | late | alerts a month | untrue | said again | false a month |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for book, record in records.items():
        months, why = record.hours / 730.5, Counter(reason for _, reason in record.false)
        again = why.pop("within a day of its end", 0)
        row = [f"{months:.0f}", len(record.onsets), len(record.late), f"{len(record.told) / months:.1f}"]
        row += [sum(why.values()), again, f"{len(record.false) / months:.2f}"]
        print(f"| {book} | {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    main()
