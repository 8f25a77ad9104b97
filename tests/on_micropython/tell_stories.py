"""Any Python: print each story of tests/firmware/charging/stories.py as `SEED START_MS CRC CLOSED_STEPS FAULT_STEPS`."""

from tests.firmware.charging import stories

for seed, start_ms in stories.STORIES:
    print(seed, start_ms, *stories.fold(seed, start_ms))
