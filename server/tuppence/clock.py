"""The user's clock: this moment in the machine's own time zone, by whose rules days and months begin.

``datetime.now().astimezone()`` carries nothing but today's offset from UTC, by which every midnight before the last
change of the clocks would be an hour off. The zone here asks the system for the offset of the moment in question.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


class _Here(tzinfo):
    """The machine's own zone, as TZ or the system's setting has it."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        """Return the offset that the system's rules give for a moment of this zone."""
        return None if when is None else when.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, when: datetime | None) -> None:
        """Return None: the system does not say which part of an offset is summer time."""

    def tzname(self, when: datetime | None) -> str | None:
        """Return the system's name of the zone at a moment."""
        return None if when is None else when.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, when: datetime) -> datetime:
        """Return a moment of UTC as one of this zone."""
        true = when.replace(tzinfo=UTC).astimezone()
        here = true.replace(tzinfo=self)
        # What astimezone gives has one offset for ever; in a zone, the hour that comes twice needs telling which it is.
        return here if here.utcoffset() == true.utcoffset() else here.replace(fold=1)


HERE: tzinfo = _Here()
"""The time zone of the user of this machine."""


def now() -> datetime:
    """Return this moment, in the user's time zone."""
    return datetime.now(HERE)
