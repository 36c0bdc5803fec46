"""A reporter that remembers, for tests of what is reported."""

from misc_shared.reports import Report


class Notes:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def report(self, report: Report) -> None:
        """Keep one."""
        self.reports.append(report)

    def close(self) -> None:
        """Do nothing."""

    def of(self, kind: type) -> list:
        """Those of one kind, in order."""
        return [report for report in self.reports if isinstance(report, kind)]
