"""Operations on the account as a whole."""

from typing import Any

from fastbatch.local import filters
from fastbatch.local.operations import listing
from fastbatch.local.operations.call import Answer, Call

_IMAGES: tuple[tuple[str, str, str, str, str], ...] = (
    ("batch.node.ubuntu 24.04", "canonical", "ubuntu-24_04-lts", "server", "verified"),
    ("batch.node.ubuntu 22.04", "canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "verified"),
    ("batch.node.ubuntu 20.04", "canonical", "0001-com-ubuntu-server-focal", "20_04-lts", "unverified"),
    ("batch.node.debian 12", "debian", "debian-12", "12", "verified"),
    ("batch.node.el 9", "almalinux", "almalinux-x86_64", "9-gen2", "verified"),
)


def supported_images(call: Call) -> Answer:
    """List images; whichever a pool takes, its nodes run on this machine."""
    expression = listing.parse_filter(call, filters.IMAGES)
    images = [_image(*image) for image in _IMAGES]
    wanted = [image for image in images if expression is None or expression.holds(image)]
    skipped, most = listing.skipped(call), listing.page_size(call)
    more = str(skipped + most) if len(wanted) > skipped + most else None
    return listing.envelope(call, wanted[skipped : skipped + most], "supportedimages", more)


def _image(agent: str, publisher: str, offer: str, sku: str, verification: str) -> dict[str, Any]:
    return {
        "nodeAgentSKUId": agent,
        "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"},
        "osType": "linux",
        "verificationType": verification,
    }
