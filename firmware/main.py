from firmware.app import run

run()
