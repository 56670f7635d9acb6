"""Which sources are left out together when the voice is measured: every clip is judged by a model without its group."""

from collections.abc import Sequence

from models.training.voice_data import Clip

GROUPS: dict[str, frozenset[str]] = {
    # Zero-shot systems that show the same sentences of LibriTTS and each other's samples.
    "libri": frozenset(
        {
            "clam-tts/clam-tts.github.io",
            "ditto-tts/ditto-tts.github.io",
            "e1tts/e1tts.github.io",
            "flashspeech/flashspeech.github.io",
            "Plachtaa/Plachtaa.github.io",
            "styletts-zs/styletts-zs.github.io",
            "styletts2/styletts2.github.io",
        }
    ),
    "make-a-voice": frozenset(
        {
            "Aries457/CoDiff-VC",
            "auspicious3000/autovc-demo",
            "coqui-ai/TTS",
            "FastDiff/FastDiff.github.io",
            "jaywalnut310/vits-demo",
            "jimbozhang/speechocean762",
            "klchang/SpeakerRecognition",
            "KoeAI/LLVC",
            "koeltts/koeltts.github.io",
            "Make-A-Voice/Make-A-Voice.github.io",
            "metis-demo/metis-demo.github.io",
            "MobileSpeech/MobileSpeech.github.io",
            "nanovoice/nanovoice.github.io",
            "resemble-ai/Resemblyzer",
            "starganv2-vc/starganv2-vc.github.io",
            "yl4579/StarGANv2-VC",
        }
    ),
    "index-tts": frozenset(
        {
            "bigvgan-demo/bigvgan-demo.github.io",
            "Camb-ai/MARS5-TTS",
            "deb:festvox-ru",
            "deb:ktuberling-data",
            "grad-tts/grad-tts.github.io",
            "hujinsen/pytorch-StarGAN-VC",
            "index-tts/index-tts.github.io",
            "index-tts/index-tts2.github.io",
            "jasonppy/VoiceCraft_web",
            "jik876/hifi-gan-demo",
            "lvc-vc/lvc-vc-demo",
            "mindslab-ai/assem-vc",
            "MycroftAI/Precise-Community-Data",
            "real-time-voice/real-time-voice.github.io",
            "shivammehta25/Matcha-TTS",
            "supertonictts/supertonictts.github.io",
        }
    ),
}
REST = "rest"
"""All other sources: what was made here (`local:`) among them."""

BLIND = frozenset(
    {
        "deb:pocketsphinx-testdata",
        "diffvc-fast-ml-solver/diffvc-fast-ml-solver.github.io",
        "spbu-smart-assistant/support-chatbot",
        "supertonictts/supertonictts.github.io",
    }
)
"""Not even the model in use was trained on these: its tests judge them, and the demonstration speaks with the first."""

NAMES = (*GROUPS, REST)


def group_of(source: str) -> str:
    """Return the name of the group that a source is left out with."""
    return next((name for name, sources in GROUPS.items() if source in sources), REST)


def left_out(clips: Sequence[Clip], name: str) -> list[int]:
    """Return the indices of the clips of a group's sources."""
    return [index for index, clip in enumerate(clips) if group_of(clip.source) == name]


def trained_on(clips: Sequence[Clip], name: str | None) -> list[int]:
    """Return the indices of the clips that the model without a group learns from; without None: the one in use."""
    return [
        index
        for index, clip in enumerate(clips)
        if (clip.source not in BLIND if name is None else group_of(clip.source) != name)
    ]
