"""`make bench`: run every benchmark, or those that are named."""

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


def main(wanted: list[str]) -> int:
    chosen = [name for name in NAMES if not wanted or name.removeprefix("bench_") in wanted]
    if not chosen:
        print(f"There is no such benchmark; there are {', '.join(n.removeprefix('bench_') for n in NAMES)}.")
        return 2
    for name in chosen:
        print(f"== {name.removeprefix('bench_')}", flush=True)
        import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
