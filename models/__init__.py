"""The detectors: what scores a window of a call. Knows nothing of calls, sockets or alerts."""
