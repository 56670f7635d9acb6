"""A forwarded clip: decoded in a process of its own, judged by the same detector and decision as a live call."""
