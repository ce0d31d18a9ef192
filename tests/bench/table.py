"""What was measured, as one table: both sides, their ratio over the runs, and the aim."""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    """One comparison. `runs` are pairs (ours, the other's) of medians, one pair a run."""

    what: str
    unit: str
    runs: list
    against: str
    aim: float | None = None  # the most that the ratio (or the difference) may be
    difference: bool = False  # ours minus the other's instead of ours by the other's
    more_is_better: bool = False
    note: str = ""

    def ours(self):
        return statistics.median(pair[0] for pair in self.runs)

    def other(self):
        return statistics.median(pair[1] for pair in self.runs)

    def compared(self):
        """Of each run: the ratio, or the difference."""
        if self.difference:
            return [ours - other for ours, other in self.runs]
        return [ours / other for ours, other in self.runs]

    def verdict(self):
        if self.aim is None:
            return ""
        value = statistics.median(self.compared())
        met = value >= self.aim if self.more_is_better else value <= self.aim
        return "met" if met else "MISSED"


def number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def columns(row):
    compared = row.compared()
    sign = "" if row.difference else "x"
    spread = [min(compared), statistics.median(compared), max(compared)]
    aim = "" if row.aim is None else f"{'>' if row.more_is_better else '<'} {number(row.aim)}{sign}"
    return [
        row.what,
        f"{number(row.ours())} {row.unit}",
        f"{number(row.other())} {row.unit}",
        row.against,
        *(number(value) + sign for value in spread),
        aim,
        row.verdict(),
    ]


HEAD = ["", "conduitfs", "the other", "which is", "min", "median", "max", "aim", ""]


def show(rows):
    """Prints the table; min, median and max are of the comparison, over the runs."""
    lines = [HEAD] + [columns(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    for line in lines:
        cells = [
            text.ljust(width) if i in (0, 3, 8) else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths))
        ]
        print("  ".join(cells).rstrip())
    for row in rows:
        if row.note:
            print(f"  {row.what}: {row.note}")
