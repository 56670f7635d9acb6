"""Tells when the pictures of a call come from another camera, or from one that was turned. Pure."""

from models.window import Pixels

TOLERANCE = 0.02
"""Encoders scale pictures to fit the network and round the sides to even numbers: the shape stays as near as this."""


class Camera:
    """Follows the shape of one call's pictures."""

    def __init__(self) -> None:
        self._shape: float | None = None

    def changes(self, picture: Pixels) -> bool:
        """Take the next picture; return whether its shape is another one than that of those before."""
        height, width = picture.shape[:2]
        before, self._shape = self._shape, width / height
        return before is not None and abs(self._shape / before - 1) > TOLERANCE
