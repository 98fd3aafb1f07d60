"""What belongs to the account as a whole."""

import base64

from tests.clients.playing import Player

_THUMBPRINT = ("sha1", "0123456789abcdef0123456789abcdef01234567")


def look(player: Player, _: str) -> None:
    """Look at images and applications."""
    player.tries(
        "list_supported_images",
        filter="osType eq 'linux'",
        seen=lambda images: any(image["imageReference"]["publisher"] == "canonical" for image in images),
    )
    player.tries("list_supported_images", max_results=2, seen=lambda images: len(images) > 2)
    player.tries("list_applications", seen=lambda applications: applications == [])
    player.tries("get_application", "none", refused_with="ApplicationNotFound")
    player.tries("list_pool_usage_metrics", seen=lambda metrics: isinstance(metrics, list))


def certificates(player: Player, _: str) -> None:
    """Have a certificate for a while."""
    content = base64.b64encode(b"certificate").decode()
    player.tries(
        "create_certificate",
        body={"thumbprintAlgorithm": _THUMBPRINT[0], "thumbprint": _THUMBPRINT[1], "data": content},
    )
    player.tries("list_certificates", seen=lambda certificates: len(certificates) == 1)
    player.tries("get_certificate", *_THUMBPRINT, seen=lambda certificate: certificate["state"] == "active")
    player.tries("cancel_certificate_deletion", *_THUMBPRINT)
    player.tries("delete_certificate", *_THUMBPRINT, seen=lambda _: player.gone("get_certificate", *_THUMBPRINT))
