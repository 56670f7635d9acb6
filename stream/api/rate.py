"""How often one address may ask for something: a token bucket each, in bounded memory. Pure."""

import ipaddress
from collections import OrderedDict

# An address that is forgotten starts with a full bucket: worth it only to somebody with as many addresses.
MAX_ADDRESSES = 4096


class Rate:
    """Allows `per_minute` times at once to an address, then one each `60 / per_minute` seconds."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str, now_s: float) -> float:
        """Count one.

        Args:
            address: Where it comes from; of IPv6 the first 64 bits count, for a caller owns all of the rest.
            now_s: Monotonic time [s].

        Returns:
            0, or after how many seconds the next one will be allowed.
        """
        key = _network(address)
        tokens, at_s = self._buckets.pop(key, (float(self._per_minute), now_s))
        tokens = min(tokens + (now_s - at_s) * self._per_minute / 60, float(self._per_minute))
        is_allowed = tokens >= 1
        self._buckets[key] = (tokens - is_allowed, now_s)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if is_allowed else (1 - tokens) * 60 / self._per_minute


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
