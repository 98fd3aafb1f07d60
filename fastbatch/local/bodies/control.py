"""What is asked of the service's own operations."""

from fastbatch.local.fields import Object, boolean, duration, integer, number

CLOCK = Object({"frozen": boolean, "advance": duration()})
LIMITS = Object(
    {
        "nodeBootSeconds": number(0, 86400),
        "nodeQuota": integer(0),
        "poolQuota": integer(0),
        "activeJobQuota": integer(0),
    }
)
