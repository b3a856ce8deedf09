"""What would 10⁸ candidates take? python docs/scaling_model.py CANDIDATES CPU_SECONDS, for docs/scaling.md.

CANDIDATES is a candidate set (``candidates~/<run>``), and CPU_SECONDS what its batch took, user and system, as
``/usr/bin/time`` tells. Everything is taken to grow with the number of candidates; what doesn't is said in the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

MANY = 10**8


def main(folder: Path, seconds: float) -> None:
    """Print the table."""
    pictures = [path.stat().st_size for path in folder.rglob("*.png")]
    lines = (folder / "scores.csv").read_bytes()
    count = len(pictures)
    picture, line, each = sum(pictures) / count, len(lines) / count, seconds / count
    print(f"| of {count:,} candidates | each | 10⁸ |\n|---|---|---|")
    print(f"| their pictures | {picture:,.0f} bytes | {MANY * picture / 1e9:,.0f} GB |")
    print(f"| their lines of scores.csv | {line:,.0f} bytes | {MANY * line / 1e9:,.0f} GB |")
    print(f"| processor time of the whole batch | {1000 * each:.1f} ms | {MANY * each / 3600:,.0f} core-hours |")
    print(f"| cost, at p a core and hour | {each / 3600:.1e} p | {MANY * each / 3600:,.0f} p |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
