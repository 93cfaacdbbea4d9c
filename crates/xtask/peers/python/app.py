"""Plans meetings. A Lambda handler that knows of no other platform."""

import os

from dateutil import parser, rrule
from dateutil.relativedelta import relativedelta

STARTED = os.getpid()


class NoMeeting(Exception):
    """There is nothing to plan."""


def handler(event, context):
    if not event.get("start"):
        raise NoMeeting("a meeting needs a start")
    start = parser.parse(event["start"])
    print("planning from", start.date().isoformat())
    days = rrule.rrule(rrule.WEEKLY, count=event["count"], dtstart=start, byweekday=rrule.FR)
    return {
        "fridays": [day.date().isoformat() for day in days],
        "a_month_on": (start + relativedelta(months=+1)).date().isoformat(),
        "unit": os.environ["UNIT"],
        "in_time": 0 < context.get_remaining_time_in_millis() <= 5000,
        "memory": context.memory_limit_in_mb,
        "known_request": bool(context.aws_request_id),
        "warm": STARTED == os.getpid(),
    }
