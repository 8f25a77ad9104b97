"""The charging sessions of more than 12 months, on the flash of the unit (SI 2021/1467, regulation 9).

Records of one length with a CRC, appended to files of 128; the oldest file goes when there are 17. littlefs keeps a file
whole through a power cut; a record that is damaged otherwise is skipped. 2,048 sessions at least: five and a half for
every day of a year.
"""

import binascii
import os
import struct
from collections import namedtuple

FOLDER = "/sessions"
PER_FILE = 128
FILES = 17  # one of them is being filled
_FORM = ">IIIII"
_CRC_BYTES = 4
_BYTES = 24

# start_s: epoch seconds, 0 = the unit did not know the time; lasted_s: from plug to unplug; charging_s: of that with power
Stored = namedtuple("Stored", "number start_s lasted_s charging_s energy_wh")


class SessionLog:
    def __init__(self, folder):
        self._folder = folder + FOLDER
        try:
            os.mkdir(self._folder)
        except OSError:
            pass  # there already; a flash that takes nothing shows in `append`

    def append(self, stored):
        """OSError if the flash does not take it."""
        body = struct.pack(_FORM, *stored)
        with open(self._path(stored.number), "ab") as file:
            file.write(body + struct.pack(">I", binascii.crc32(body)))
        self._forget(stored.number // PER_FILE - FILES)

    def read(self, first, count):
        """Up to `count` records with numbers from `first` on, oldest first."""
        found: list = []
        for index in self._files():
            if index < first // PER_FILE:
                continue
            for stored in self._records(index):
                if len(found) == count:
                    return found
                if stored.number >= first:
                    found.append(stored)
        return found

    def last_number(self):
        """Of the newest record, 0 if there is none."""
        for index in reversed(self._files()):
            numbers = [stored.number for stored in self._records(index)]
            if numbers:
                return max(numbers)
        return 0

    def _records(self, index):
        try:
            with open("%s/%d" % (self._folder, index), "rb") as file:
                chunk = file.read(_BYTES)
                while len(chunk) == _BYTES:
                    body, crc = chunk[:-_CRC_BYTES], chunk[-_CRC_BYTES:]
                    if struct.unpack(">I", crc)[0] == binascii.crc32(body):
                        yield Stored(*struct.unpack(_FORM, body))
                    chunk = file.read(_BYTES)
        except OSError:
            pass  # a file that cannot be read holds no records

    def _files(self):
        try:
            return sorted(int(name) for name in os.listdir(self._folder) if name.isdigit())
        except OSError:
            return []

    def _path(self, number):
        return "%s/%d" % (self._folder, number // PER_FILE)

    def _forget(self, index):
        for old in self._files():
            if old <= index:
                os.remove("%s/%d" % (self._folder, old))
