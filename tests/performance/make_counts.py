"""Store the counts of work that tests/performance/test_counts.py holds the solvers to.

Run it after a change that makes less work, from anywhere:

    python tests/performance/make_counts.py

After a change that makes more work on purpose, put a line into CHANGELOG.md and repeat it:

    python tests/performance/make_counts.py --because "the line"
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.performance import stored
from tests.performance.problems import CASES, work


def main() -> None:
    """Count, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--because", help="a line of CHANGELOG.md that says why there is more work")
    because = parser.parse_args().because
    if because is not None and not stored.told_in(stored.CHANGELOG.read_text("utf-8"), because):
        parser.error("CHANGELOG.md does not say so")
    before = stored.read() if stored.STORED.exists() else {}
    after = {}
    for name in CASES:
        try:
            after[name] = stored.merged(before.get(name), work(name), because)
        except ValueError as error:
            parser.error(f"{name}: {error}; --because has to say why")
    stored.STORED.write_text(json.dumps(after, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
