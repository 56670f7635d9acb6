"""Tapes of the voice: whole stretches of speech, each scored as the service does by a model trained without its source.

    python -m models.training.voice_tapes --data ../shared/data/voice

Trains what is missing by the recipe `voice-tapes` (see `models.training.train_voice`), then joins the clips of each
speaker, or of each system's, into stretches with short pauses, sends them through the conditions of a call, and scores
every window a hop apart.
"""

import argparse
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models import weights
from models.engine import Engine
from models.piece_cache import PieceCache
from models.prosody import ProsodyBlocks
from models.tapes import BONA_FIDE, TAPES, Provenance, Tape, counts, write
from models.training.clips import voice_windows
from models.training.train_voice import fused, open_workshop
from models.training.voice_conditions import CONDITIONS
from models.training.voice_data import Clip, ClipStore, manifest_sha256
from models.training.voice_groups import group_of
from models.voice import BLOCK_SAMPLES, VoiceModel, load_speech_blocks, speech_blocks_digest
from models.voice_activity import VoiceActivity, window_probability
from models.voice_quality import Channel, channel, gate, measure
from models.window import SAMPLE_RATE_HZ, WINDOW_S, Reason, Samples, Signal

RECIPE = "voice-tapes"
NOTE = (
    "Models without the source's group, trained half as long as the checkpoint and without the speech that was made "
    "from packages or copied: a little worse than it."
)
CLEAN = "clean"
SENT = {CLEAN: False, "opus_16k_loss_5": False, "g711": True}
"""Conditions, and whether each makes a telephone line of it."""
STRETCH_S, PAUSE_S = 16.0, (0.2, 0.8)
"""How long a stretch becomes at least before the next is begun, and pauses between its clips [s]."""
PERSON_S, SOURCE_S = {True: 64.0, False: 48.0}, {True: 480.0, False: 300.0}
"""Most of one person or system and of one source, of genuine speech and of spoofs [s]: more would add little."""
WINDOWS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Clips of one speaker, or of one system's speech of one speaker, in a row."""

    source: str
    person: str
    attack: str
    era: str
    rows: tuple[int, ...]
    """Of the clips in their store."""


def stretches(clips: Sequence[Clip], seconds: Sequence[float]) -> Iterator[Stretch]:
    """Yield stretches of all clips, as many as the limits allow.

    Args:
        clips: From one manifest.
        seconds: Length of each [s].
    """
    by_person: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row, clip in enumerate(clips):
        by_person[clip.source, clip.attack if clip.is_spoof else BONA_FIDE, clip.speaker].append(row)
    of_source: dict[tuple[str, bool], float] = defaultdict(float)
    for (source, attack, speaker), rows in sorted(by_person.items()):
        is_genuine = attack == BONA_FIDE
        for part in _parts(rows, seconds, PERSON_S[is_genuine]):
            length_s = sum(seconds[row] for row in part)
            if length_s >= WINDOW_S and of_source[source, is_genuine] < SOURCE_S[is_genuine]:
                of_source[source, is_genuine] += length_s
                # Where a page does not say who speaks, each stretch is taken to be somebody of his own.
                person = speaker or clips[part[0]].file
                yield Stretch(source=source, person=person, attack=attack, era=clips[part[0]].era, rows=part)


def _parts(rows: Iterable[int], seconds: Sequence[float], limit_s: float) -> Iterator[tuple[int, ...]]:
    """Yield clips in a row, STRETCH_S or more of them, until so many seconds were yielded."""
    part: list[int] = []
    for row in rows:
        part.append(row)
        length_s = sum(seconds[i] for i in part)
        if length_s >= STRETCH_S:
            yield tuple(part)
            limit_s -= length_s
            part = []
            if limit_s <= 0:
                return
    if part:
        yield tuple(part)


def joined(sounds: Iterable[Samples], rng: np.random.Generator) -> Samples:
    """Return sounds in a row, a pause of near silence after each, (S,)."""
    parts: list[Samples] = []
    for sound in sounds:
        n = int(rng.uniform(*PAUSE_S) * SAMPLE_RATE_HZ)
        parts += [sound.astype(np.float32), rng.normal(0, 1e-4, n).astype(np.float32)]
    return np.concatenate(parts)


class StretchJudge:
    """Scores stretches as the service does, by any of several models; what these share is computed once.

    Args:
        models: By the group that each was trained without.
    """

    def __init__(self, models: Mapping[str | None, VoiceModel]) -> None:
        self._models = models
        engine = Engine("cpu", workers=1)
        self._activity = PieceCache(VoiceActivity().pairs)
        self._speech = PieceCache(
            engine.load(load_speech_blocks(), torch.zeros(2, BLOCK_SAMPLES), speech_blocks_digest(), is_exact=True)
        )
        self._blocks = ProsodyBlocks().eval()
        self._prosody = PieceCache(lambda sound: self._blocks(torch.from_numpy(sound)).numpy())

    @torch.inference_mode()
    def __call__(self, name: str | None, sound: Samples) -> list[tuple[float | None, Reason | None, float, bool]]:
        """Return of each window raw score, or why there is none, speech [s], and whether it is a telephone's."""
        windows = voice_windows(sound)
        rows = self._activity.of(windows)
        found = [measure(w.samples, window_probability(row)) for w, row in zip(windows, rows, strict=True)]
        refused = [gate(quality, 0) for quality in found]
        kept = [window for window, reason in zip(windows, refused, strict=True) if reason is None]
        model, raws = self._models[name], []
        for start in range(0, len(kept), WINDOWS_AT_ONCE):
            part = kept[start : start + WINDOWS_AT_ONCE]
            # Of the pairs of successive pieces every second one: blocks that do not overlap.
            speech, melody = (
                torch.from_numpy(np.stack(cache.of(part))[:, ::2]) for cache in (self._speech, self._prosody)
            )
            spectral = model.spectral(torch.from_numpy(np.stack([window.samples for window in part])))
            raws += model.fuse(model.views(speech, spectral, melody)).tolist()
        scores = iter(raws)
        return [
            (
                None if reason else next(scores),
                reason,
                0.0 if reason else quality.speech_s,
                channel(quality) is Channel.TELEPHONE,
            )
            for reason, quality in zip(refused, found, strict=True)
        ]


def tapes_of(judge: StretchJudge, found: Iterable[Stretch], store: ClipStore, seed: int) -> Iterator[Tape]:
    """Yield the tapes of stretches in every condition."""
    for stretch in found:
        rng = np.random.default_rng((seed, *stretch.rows))
        sound = joined((store[row] for row in stretch.rows), rng)
        for condition, is_telephone in SENT.items():
            sent = sound if condition == CLEAN else CONDITIONS[condition](sound, rng)
            windows = judge(group_of(stretch.source), sent)
            # A line is what its sound is taken for: the service knows no more.
            n_telephone = sum(is_line for _, reason, _, is_line in windows if reason is None)
            n_judged = sum(reason is None for _, reason, _, _ in windows)
            if n_judged and (2 * n_telephone > n_judged) is is_telephone:
                yield _tape(stretch, condition, is_telephone, windows)


def _tape(
    stretch: Stretch,
    condition: str,
    is_telephone: bool,
    windows: Sequence[tuple[float | None, Reason | None, float, bool]],
) -> Tape:
    raws, reasons, speech_s, _ = zip(*windows, strict=True)
    return Tape(
        signal=Signal.VOICE,
        source=stretch.source,
        person=stretch.person,
        attack=stretch.attack,
        attack_type=BONA_FIDE if stretch.attack == BONA_FIDE else f"voice, {stretch.era}",
        condition=condition,
        is_telephone=is_telephone,
        raws=raws,
        reasons=reasons,
        analysed_s=tuple(round(value, 2) for value in speech_s),
    )


def _score_part(
    models: Mapping[str | None, VoiceModel], found: Sequence[Stretch], store: ClipStore, seed: int
) -> list[Tape]:
    torch.set_num_threads(1)
    return list(tapes_of(StretchJudge(models), found, store, seed))


def main(arguments: list[str] | None = None) -> None:
    """Train what is missing, score, and write `tapes/voice.json.gz`."""
    parser = argparse.ArgumentParser(prog="python -m models.training.voice_tapes", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds manifest.csv")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache", help="where parts are kept")
    parser.add_argument("--out", type=Path, default=TAPES)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    shop = open_workshop([given.data], RECIPE, given.cache)
    models, _, _ = fused(shop, in_use=False)
    store = shop.stores[0]
    seconds = [len(store[row]) / SAMPLE_RATE_HZ for row in range(len(shop.clips))]
    found = list(stretches(shop.clips, seconds))
    parts = [found[part :: given.workers] for part in range(given.workers)]
    with ProcessPoolExecutor(given.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_score_part, models, part, store, shop.recipe.seed) for part in parts]
        tapes = [tape for future in futures for tape in future.result()]
    tapes.sort(key=lambda tape: (tape.source, tape.attack, tape.person, tape.condition))
    write(
        given.out / "voice.json.gz",
        Provenance(recipe=RECIPE, manifest_sha256=manifest_sha256([given.data]), note=NOTE),
        tapes,
    )
    print("\n".join(counts(tapes)))


if __name__ == "__main__":
    main()
