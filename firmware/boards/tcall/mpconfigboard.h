#define MICROPY_HW_BOARD_NAME "Chargekeeper on LilyGO T-Call SIM800L"
#define MICROPY_HW_MCU_NAME "ESP32"

// The modem is the only way out: no radio of the ESP32 is used, and none of its Python is wanted.
#define MICROPY_PY_NETWORK_WLAN (0)
#define MICROPY_PY_ESPNOW (0)
#define MICROPY_PY_BLUETOOTH (0)
#define MICROPY_PY_WEBREPL (0)
