// Time for MicroPython's qemu port, which has none, from a timer of the MPS2 board.
//
// CMSDK APB timer 0 counts down at the board's 25 MHz. Under QEMU's -icount one instruction takes a fixed time, so these
// clocks count instructions and read the same in each run. `time.ticks_cpu()` is the timer itself, in units of 40 ns.

#include "py/mphal.h"
#include "py/runtime.h"

#define TIMER_CTRL (*(volatile uint32_t *)0x40000000)
#define TIMER_VALUE (*(volatile uint32_t *)0x40000004)
#define TIMER_RELOAD (*(volatile uint32_t *)0x40000008)
#define TICKS_PER_US (25)
#define NS_PER_TICK (40)

// The timer wraps after 171 s, so a program that looks at the time less often loses time.
static uint64_t ticks(void) {
    static uint64_t total;
    static uint32_t last = UINT32_MAX;
    if (!(TIMER_CTRL & 1)) {
        TIMER_RELOAD = UINT32_MAX;
        TIMER_VALUE = UINT32_MAX;
        TIMER_CTRL = 1;
    }
    uint32_t now = TIMER_VALUE;
    total += last - now;
    last = now;
    return total;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)ticks();
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(ticks() / TICKS_PER_US);
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(ticks() / (TICKS_PER_US * 1000));
}

uint64_t mp_hal_time_ns(void) {
    return ticks() * NS_PER_TICK;
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t until = ticks() + (uint64_t)us * TICKS_PER_US;
    while (ticks() < until) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t until = ticks() + (uint64_t)ms * TICKS_PER_US * 1000;
    while (ticks() < until) {
        mp_handle_pending(true);
    }
}
