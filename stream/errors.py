"""What can go wrong, by who can mend it.

    KuaError
    ├── SettingsError           the operator: before the port is opened
    ├── ConflictError           the person: somebody else was quicker
    └── CallError               the peer: ends that one session
        ├── SignallingError       an offer, hello or header that we refuse
        ├── MediaError            bytes that are no media, or a file without any
        └── ServiceFullError      no room for another call now

What fails in a detector is ours alone: its windows stay unscored, with the reason `error`. Overload is no error either:
it is a `Gap` and a counter. `CheckpointError` and `WeightsError` live in `models`.
"""


class KuaError(Exception):
    """Base of all errors that this service raises on purpose; its text is fit for a person."""


class SettingsError(KuaError):
    """A setting is missing, unknown or out of range."""


class CallError(KuaError):
    """A peer sent something that ends its call."""


class SignallingError(CallError):
    """An offer, a hello or a header is not what we accept.

    Args:
        message: What was got, what is allowed.
        status: The HTTP status that says so.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class MediaError(CallError):
    """Media that cannot be read."""


class ServiceFullError(CallError):
    """No room for another call now.

    Args:
        message: How many calls run and how many may.
        retry_after_s: When to ask again [s].
    """

    def __init__(self, message: str, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ConflictError(KuaError):
    """What a person wants to do does not fit what is there now: somebody else was quicker."""
