"""What we accept of an offer, and that nothing else than a refusal comes out of one that we do not."""

import asyncio
import collections
import gc
import os
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from aiortc.sdp import SessionDescription

from models.traits import Traits
from stream.errors import SignallingError
from stream.events import Media, Medium
from stream.ingest.ice import MAX_CANDIDATES
from stream.ingest.offer import MAX_SDP_BYTES, START_BITRATE, Offer, parse_fragment, raise_bitrate, vet_offer
from stream.ingest.webrtc import WebRtcIngest
from stream.settings import Settings

N_MUTANTS = 150

# In the shape that Chromium gives its offers; all names, numbers and addresses are made up.
TRANSPORT = """a=ice-ufrag:Kq3Z
a=ice-pwd:4uYx0sGm1tq7Vd2hB9nLcE5w
a=ice-options:trickle
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
""".format(fingerprint=":".join(f"{byte:02X}" for byte in range(32)))
AUDIO = f"""m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 110
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
{TRANSPORT}a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:stream-1 microphone-1
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:110 telephone-event/48000
a=ssrc:1001 cname:made-up
a=ssrc:1001 msid:stream-1 microphone-1
a=candidate:101 1 udp 2122260223 192.168.7.31 50111 typ host generation 0 network-id 1
a=candidate:102 1 tcp 1518280447 192.168.7.31 9 typ host tcptype active generation 0 network-id 1
"""
VIDEO = f"""m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
{TRANSPORT}a=mid:1
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:stream-1 camera-1
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=rtcp-fb:103 nack pli
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=ssrc-group:FID 2001 2002
a=ssrc:2001 cname:made-up
a=ssrc:2002 cname:made-up
"""
HEAD = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS stream-1
"""
OFFER = (HEAD + AUDIO + VIDEO).replace("\n", "\r\n")


def refusal(sdp: str) -> SignallingError:
    with pytest.raises(SignallingError) as refused:
        vet_offer(sdp)
    return refused.value


def test_a_browsers_offer_is_accepted_without_what_we_would_not_try() -> None:
    offer = vet_offer(OFFER.replace("a=rtcp-rsize", "a=end-of-candidates"))
    assert offer == Offer(sdp=offer.sdp, ufrags=frozenset({"Kq3Z"}), n_candidates=1)
    assert "tcptype" not in offer.sdp
    assert "end-of-candidates" not in offer.sdp
    (host,) = SessionDescription.parse(offer.sdp).media[0].ice_candidates
    assert (host.ip, host.port) == ("192.168.7.31", 50_111)


def test_only_the_first_candidates_are_kept() -> None:
    many = "".join(f"a=candidate:{i} 1 udp {i + 1} 192.168.7.31 {20_000 + i} typ host\r\n" for i in range(500))
    assert vet_offer(OFFER + many).n_candidates == MAX_CANDIDATES


@pytest.mark.parametrize(
    ("sdp", "message"),
    [
        ("", "the offer is no SDP: the first line must be v=0"),
        ("{}", "the offer is no SDP: the first line must be v=0"),
        ("v=0", "the offer has 0 media sections, 1 to 4 are allowed"),
        (OFFER + AUDIO * 3, "the offer has 5 media sections, 1 to 4 are allowed"),
        (
            OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
            "the offer has a section of kind 'application', only audio and video are accepted",
        ),
        (
            OFFER + "a=rid:q send\r\na=simulcast:send q\r\n",
            "the offer has simulcast; send one full-size encoding, without sendEncodings",
        ),
        (
            OFFER.replace("a=sendonly", "a=recvonly"),
            "the offer sends nothing; at least one a=sendonly or a=sendrecv is needed",
        ),
        (
            OFFER + AUDIO.replace("a=mid:0", "a=mid:2"),
            "the offer sends two tracks of a kind; one audio and one video are looked at",
        ),
        (OFFER.replace("a=mid:1", "a=mid:0"), "the offer has two media sections with the same a=mid"),
        (OFFER.replace("BUNDLE 0 1", "BUNDLE 7 0 1"), "the offer bundles a media section that it does not have"),
        (
            OFFER.replace("a=fingerprint", "a=finger"),
            "the offer's audio has no a=fingerprint or no a=setup: only DTLS-SRTP is accepted",
        ),
        (
            OFFER.replace("a=setup:actpass\r\n", ""),
            "the offer's audio has no a=fingerprint or no a=setup: only DTLS-SRTP is accepted",
        ),
        (OFFER.replace("Kq3Z", "K Z!"), "the offer's audio has no valid a=ice-ufrag and a=ice-pwd"),
        (
            OFFER.replace("4uYx0sGm1tq7Vd2hB9nLcE5w", "short"),
            "the offer's audio has no valid a=ice-ufrag and a=ice-pwd",
        ),
        (OFFER.replace("a=rtpmap:97 rtx/90000\r\n", ""), "the offer names a payload type without a=rtpmap"),
        (OFFER.replace("a=setup:actpass", "a=setup:maybe"), "the offer cannot be read: KeyError: 'maybe'"),
        (OFFER.replace("s=-", "s=a\x85b"), "the SDP has a control character in 's=a\\x85b'"),
        ("v=0\r\ns=\ud800", "the SDP is not valid UTF-8"),
    ],
)
def test_other_offers_are_refused_with_the_reason(sdp: str, message: str) -> None:
    error = refusal(sdp)
    assert (str(error), error.status) == (message, 400)


def test_a_long_offer_is_refused_before_it_is_read() -> None:
    error = refusal(OFFER + "a=x\r\n" * 20_000)
    assert (str(error), error.status) == (f"the SDP has {len(OFFER) + 100_000} bytes, {MAX_SDP_BYTES} are allowed", 413)


def test_the_answer_asks_for_a_start_bit_rate_of_each_video_codec() -> None:
    answer = "v=0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 x=1\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n"
    answer += "a=fmtp:97 apt=96\r\na=rtpmap:103 H264/90000\r\na=fmtp:103 packetization-mode=1\r\n"
    assert raise_bitrate(answer).splitlines() == [
        "v=0",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 x=1",
        "a=rtpmap:96 VP8/90000",
        f"a=fmtp:96 {START_BITRATE}",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rtpmap:103 H264/90000",
        f"a=fmtp:103 packetization-mode=1;{START_BITRATE}",
    ]


def test_a_fragment_gives_its_candidates_with_their_section() -> None:
    fragment = parse_fragment(
        "a=ice-ufrag:Kq3Z\r\na=ice-pwd:4uYx0sGm1tq7Vd2hB9nLcE5w\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 1 192.168.7.31 50111 typ host\r\na=candidate:1 1 udp 1 127.0.0.1 50112 typ host\r\n"
        "m=video 9 RTP/AVP 0\r\na=candidate:1 1 udp 1 192.168.7.32 50113 typ host\r\na=end-of-candidates\r\n"
    )
    assert fragment.ufrag == "Kq3Z"
    assert [(c.ip, c.sdpMid, c.sdpMLineIndex) for c in fragment.candidates] == [
        ("192.168.7.31", "0", None),
        ("192.168.7.32", None, 1),
    ]


def test_a_fragment_without_anything_is_refused() -> None:
    with pytest.raises(SignallingError, match="the fragment has no a=ice-ufrag, a=candidate or a=end-of-candidates"):
        parse_fragment("hello")


class Sink:
    id = "call"

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def push(self, media: Media) -> None: ...

    def note_dropped(self, medium: Medium, amount: float) -> None: ...

    def note_pipeline(self, traits: Traits) -> None: ...

    def close(self, cause: str) -> None:
        while self.callbacks:
            self.callbacks.pop()()

    def on_close(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)


class Desk:
    def open(self, *, source: str, name: str) -> Sink:
        return Sink()


def mutate(rnd: random.Random, lines: list[str]) -> str:
    """Change one to four lines: delete, repeat, flip a character, cut, enlarge a number, append rubbish."""
    mutant = list(lines)
    for _ in range(rnd.randint(1, 4)):
        i, line = (place := rnd.randrange(len(mutant))), mutant[place]
        where = rnd.randrange(len(line) + 1)
        mutant[i : i + 1] = rnd.choice(
            (
                [],
                [line, mutant[rnd.randrange(len(mutant))]],
                [line[:where] + chr(rnd.randrange(32, 127)) + line[where + 1 :]],
                [line[:where]],
                [line.replace("1", "999999999999", 1)],
                [line + " " + "A" * rnd.choice((10, 1000))],
            )
        )
    return "\r\n".join(mutant)


async def test_a_mutated_offer_is_answered_or_refused_and_leaves_nothing_behind() -> None:
    noise: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    rnd, lines = random.Random(7), OFFER.splitlines()
    ingest = WebRtcIngest(Desk(), Settings())
    n_files, n_threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    outcomes: collections.Counter[str] = collections.Counter()
    for _ in range(N_MUTANTS):
        try:
            async with asyncio.timeout(5):
                answer = await ingest.answer(mutate(rnd, lines), "")
        except SignallingError as exc:
            outcomes["refused"] += exc.status == 400
        else:
            outcomes["answered"] += 1
            await ingest.delete(answer.id)
    await ingest.close()
    gc.collect()
    await asyncio.sleep(0)
    assert ingest.n_calls == 0
    assert outcomes["answered"] > 20
    assert outcomes["refused"] == N_MUTANTS - outcomes["answered"] > 20
    assert len(os.listdir("/proc/self/fd")) <= n_files
    assert threading.active_count() <= n_threads
    assert noise == []
