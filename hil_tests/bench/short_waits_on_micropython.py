"""Run in place of firmware.main on MicroPython: the same firmware, which judges its network within seconds.

The rules are the product's. Only two times are shorter: how long a signal has to be weak, and the interval of its
readings.
"""

from firmware.link import network, radio_monitor
from modem import network_history

network_history.POOR_S = 4
network.JITTER_S = network.SAMPLE_S = 1
radio_monitor.SAMPLE_MS = 500

import firmware.main  # noqa: E402, F401  # it never returns
