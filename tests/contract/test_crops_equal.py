"""Training and serving cut the same crops: a clip's, a recorded file's and a call's faces go through one function."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from models.calibration import Calibration
from models.faces import Detection, FaceFinder, FaceTracker, follow
from models.training.face_data import main_face, pictures
from models.window import Batch, FaceCrop, FaceWindow, Pixels, Reason, Score, Signal, unscored
from stream import demo
from stream.clip import ClipCheck
from stream.events import VideoFrame
from stream.policy import Policy

N_PICTURES = 16


class Watched:
    """A detector that finds faces and scores none; keeps the windows that it was given."""

    longs: dict[Signal, dict[int, Calibration]] = {}  # noqa: RUF012  # never changed

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self.crops: dict[float, FaceCrop] = {}

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return self.finder.find(picture, near)

    def score(self, batch: Batch) -> Sequence[Score]:
        for window in batch:
            if isinstance(window, FaceWindow):
                self.crops |= {crop.time_s: crop for crop in window.crops}
        return [unscored(window, Reason.ERROR) for window in batch]


def moving_portrait(path: Path) -> Path:
    """Write the demonstration's portrait at 5 pictures a second; in the middle it jumps aside, which a cut would do."""
    portrait = demo.load_portrait()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = demo.WIDTH_PX, demo.HEIGHT_PX, "yuv420p"
        for i in range(N_PICTURES):
            rgb = np.roll(portrait.picture(i / 5, False), 200 if i >= N_PICTURES // 2 else 0, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_serving_and_training_cut_the_same_crops_of_a_clip(tmp_path: Path) -> None:
    path, finder = moving_portrait(tmp_path / "portrait.mp4"), FaceFinder()
    trained = {crop.time_s: crop for crop in main_face(path, "video", finder)}
    detector = Watched(finder)
    check = ClipCheck(detector, Policy())
    for time_s, rgb in pictures(path):
        check.push(VideoFrame(time_s=time_s, pixels=rgb))
    check.finish()
    common = sorted(trained)
    assert len(common) >= N_PICTURES // 2
    for time_s in common:
        served, learnt = detector.crops[time_s], trained[time_s]
        np.testing.assert_array_equal(served.pixels, learnt.pixels)
        np.testing.assert_array_equal(served.landmarks, learnt.landmarks)
        assert (served.yaw_deg, served.bright, served.burnt) == (learnt.yaw_deg, learnt.bright, learnt.burnt)


def test_a_crop_cut_near_a_known_face_is_the_one_cut_when_the_whole_picture_is_searched() -> None:
    portrait, finder = demo.load_portrait(), FaceFinder()
    tracker, apart = FaceTracker(), []
    for i in range(10):
        rgb = portrait.picture(i / 5, False)
        (near,) = follow(rgb, i / 5, tracker, finder.find)
        (whole,) = follow(rgb, i / 5, FaceTracker(), finder.find)
        # Where the square stands differs by the face's motion, hence the landmarks by a part of their own noise.
        apart.append(float(np.linalg.norm(near.landmarks - whole.landmarks, axis=1).mean()))
        assert near.pixels.shape == whole.pixels.shape
    assert max(apart) < 4.0
