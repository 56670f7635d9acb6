"""Another camera is told by the shape of its pictures; a call that is only scaled down is not another one."""

import numpy as np

from stream.camera import Camera


def test_a_scaled_picture_is_the_same_camera_and_a_turned_one_is_not() -> None:
    camera = Camera()
    sizes = [(480, 640), (480, 640), (240, 320), (178, 238), (640, 480), (640, 480), (720, 1280)]
    changes = [camera.changes(np.zeros((*size, 3), np.uint8)) for size in sizes]
    assert changes == [False, False, False, False, True, False, True]
