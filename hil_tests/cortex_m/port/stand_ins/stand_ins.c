// Peripherals of an ESP32 that lead nowhere, in C as on a board, so that what is counted is the firmware and not its
// stand-ins. modules/machine.py gives them the names and the arguments that they have on a board.

#include <string.h>

#include "py/gc.h"
#include "py/mpstate.h"
#include "py/runtime.h"
#include "py/smallint.h"

// An analogue input whose samples come from a list, in turn for ever.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t samples;
    size_t next;
} adc_t;

extern const mp_obj_type_t adc_type;

static mp_obj_t adc_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    adc_t *self = mp_obj_malloc(adc_t, type);
    self->samples = args[0];
    self->next = 0;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t adc_read_uv(mp_obj_t self_in) {
    adc_t *self = MP_OBJ_TO_PTR(self_in);
    size_t count;
    mp_obj_t *samples;
    mp_obj_get_array(self->samples, &count, &samples);
    if (self->next >= count) {
        self->next = 0;
    }
    return samples[self->next++];
}
static MP_DEFINE_CONST_FUN_OBJ_1(adc_read_uv_obj, adc_read_uv);

static const mp_rom_map_elem_t adc_locals[] = {
    { MP_ROM_QSTR(MP_QSTR_read_uv), MP_ROM_PTR(&adc_read_uv_obj) },
};
static MP_DEFINE_CONST_DICT(adc_locals_dict, adc_locals);
MP_DEFINE_CONST_OBJ_TYPE(adc_type, MP_QSTR_ADC, MP_TYPE_FLAG_NONE, make_new, adc_make_new, locals_dict, &adc_locals_dict);

// A pin that keeps its level.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t number;
    mp_obj_t level;
} pin_t;

extern const mp_obj_type_t pin_type;

static mp_obj_t pin_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    pin_t *self = mp_obj_malloc(pin_t, type);
    self->number = args[0];
    self->level = MP_OBJ_NEW_SMALL_INT(0);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t pin_value(size_t n_args, const mp_obj_t *args) {
    pin_t *self = MP_OBJ_TO_PTR(args[0]);
    if (n_args == 1) {
        return self->level;
    }
    self->level = MP_OBJ_NEW_SMALL_INT(mp_obj_is_true(args[1]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(pin_value_obj, 1, 2, pin_value);

static mp_obj_t pin_number(mp_obj_t self_in) {
    pin_t *self = MP_OBJ_TO_PTR(self_in);
    return self->number;
}
static MP_DEFINE_CONST_FUN_OBJ_1(pin_number_obj, pin_number);

static const mp_rom_map_elem_t pin_locals[] = {
    { MP_ROM_QSTR(MP_QSTR_value), MP_ROM_PTR(&pin_value_obj) },
    { MP_ROM_QSTR(MP_QSTR_number), MP_ROM_PTR(&pin_number_obj) },
};
static MP_DEFINE_CONST_DICT(pin_locals_dict, pin_locals);
MP_DEFINE_CONST_OBJ_TYPE(pin_type, MP_QSTR_Pin, MP_TYPE_FLAG_NONE, make_new, pin_make_new, locals_dict, &pin_locals_dict);

// A bus whose chips show one byte each, from a dictionary by their address.
typedef struct {
    mp_obj_base_t base;
    mp_obj_t bytes;
} i2c_t;

extern const mp_obj_type_t i2c_type;

static mp_obj_t i2c_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    i2c_t *self = mp_obj_malloc(i2c_t, type);
    self->bytes = args[0];
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t i2c_readfrom_mem_into(size_t n_args, const mp_obj_t *args) {
    i2c_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(args[3], &buffer, MP_BUFFER_WRITE);
    memset(buffer.buf, mp_obj_get_int(mp_obj_dict_get(self->bytes, args[1])), buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(i2c_readfrom_mem_into_obj, 4, 4, i2c_readfrom_mem_into);

static mp_obj_t i2c_writeto_mem(size_t n_args, const mp_obj_t *args) {
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(i2c_writeto_mem_obj, 4, 4, i2c_writeto_mem);

static const mp_rom_map_elem_t i2c_locals[] = {
    { MP_ROM_QSTR(MP_QSTR_readfrom_mem_into), MP_ROM_PTR(&i2c_readfrom_mem_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeto_mem), MP_ROM_PTR(&i2c_writeto_mem_obj) },
};
static MP_DEFINE_CONST_DICT(i2c_locals_dict, i2c_locals);
MP_DEFINE_CONST_OBJ_TYPE(i2c_type, MP_QSTR_I2C, MP_TYPE_FLAG_NONE, make_new, i2c_make_new, locals_dict, &i2c_locals_dict);

// A serial line at whose other end each request has its response, from a dictionary. It is there when the line has been looked
// at LOOKS times: a meter takes 60 ms.
#define LOOKS (3)

typedef struct {
    mp_obj_base_t base;
    mp_obj_t responses;
    mp_obj_t response;
    size_t looks;
} uart_t;

extern const mp_obj_type_t uart_type;

static mp_obj_t uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    uart_t *self = mp_obj_malloc(uart_t, type);
    self->responses = args[0];
    self->response = mp_const_none;
    self->looks = 0;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t uart_any(mp_obj_t self_in) {
    uart_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->response == mp_const_none || ++self->looks < LOOKS) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    return mp_obj_len(self->response);
}
static MP_DEFINE_CONST_FUN_OBJ_1(uart_any_obj, uart_any);

static mp_obj_t uart_readinto(mp_obj_t self_in, mp_obj_t buffer_in) {
    uart_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->response == mp_const_none) {
        return mp_const_none;
    }
    mp_buffer_info_t buffer, response;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_WRITE);
    mp_get_buffer_raise(self->response, &response, MP_BUFFER_READ);
    size_t count = MIN(buffer.len, response.len);
    memcpy(buffer.buf, response.buf, count);
    self->response = mp_const_none;
    return MP_OBJ_NEW_SMALL_INT(count);
}
static MP_DEFINE_CONST_FUN_OBJ_2(uart_readinto_obj, uart_readinto);

static mp_obj_t uart_read(mp_obj_t self_in) {
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(uart_read_obj, uart_read);

static mp_obj_t uart_write(mp_obj_t self_in, mp_obj_t request) {
    uart_t *self = MP_OBJ_TO_PTR(self_in);
    mp_map_elem_t *found = mp_map_lookup(mp_obj_dict_get_map(self->responses), request, MP_MAP_LOOKUP);
    self->response = found ? found->value : mp_const_none;
    self->looks = 0;
    return mp_obj_len(request);
}
static MP_DEFINE_CONST_FUN_OBJ_2(uart_write_obj, uart_write);

static mp_obj_t uart_init(size_t n_args, const mp_obj_t *args, mp_map_t *keywords) {
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(uart_init_obj, 1, uart_init);

static const mp_rom_map_elem_t uart_locals[] = {
    { MP_ROM_QSTR(MP_QSTR_any), MP_ROM_PTR(&uart_any_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&uart_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&uart_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&uart_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&uart_init_obj) },
};
static MP_DEFINE_CONST_DICT(uart_locals_dict, uart_locals);
MP_DEFINE_CONST_OBJ_TYPE(uart_type, MP_QSTR_UART, MP_TYPE_FLAG_NONE, make_new, uart_make_new, locals_dict, &uart_locals_dict);

// A tick counter that stands still until it is moved; it wraps as the platform's does.
static mp_uint_t ticks;

static mp_obj_t stand_ins_ticks_ms(void) {
    return MP_OBJ_NEW_SMALL_INT(ticks & (MICROPY_PY_TIME_TICKS_PERIOD - 1));
}
static MP_DEFINE_CONST_FUN_OBJ_0(ticks_ms_obj, stand_ins_ticks_ms);

static mp_obj_t stand_ins_pass_ms(mp_obj_t ms) {
    ticks += mp_obj_get_int(ms);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(pass_ms_obj, stand_ins_pass_ms);

// Bytes of the heap taken since the last collection, those given back at once too (the frames of large functions).
static mp_obj_t stand_ins_taken(void) {
    return MP_OBJ_NEW_SMALL_INT(MP_STATE_MEM(gc_alloc_amount) * MICROPY_BYTES_PER_GC_BLOCK);
}
static MP_DEFINE_CONST_FUN_OBJ_0(taken_obj, stand_ins_taken);

static const mp_rom_map_elem_t stand_ins_globals[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_stand_ins) },
    { MP_ROM_QSTR(MP_QSTR_ADC), MP_ROM_PTR(&adc_type) },
    { MP_ROM_QSTR(MP_QSTR_Pin), MP_ROM_PTR(&pin_type) },
    { MP_ROM_QSTR(MP_QSTR_I2C), MP_ROM_PTR(&i2c_type) },
    { MP_ROM_QSTR(MP_QSTR_UART), MP_ROM_PTR(&uart_type) },
    { MP_ROM_QSTR(MP_QSTR_ticks_ms), MP_ROM_PTR(&ticks_ms_obj) },
    { MP_ROM_QSTR(MP_QSTR_pass_ms), MP_ROM_PTR(&pass_ms_obj) },
    { MP_ROM_QSTR(MP_QSTR_taken), MP_ROM_PTR(&taken_obj) },
};
static MP_DEFINE_CONST_DICT(stand_ins_dict, stand_ins_globals);

const mp_obj_module_t stand_ins_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&stand_ins_dict,
};
MP_REGISTER_MODULE(MP_QSTR_stand_ins, stand_ins_module);
