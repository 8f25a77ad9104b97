SRC_USERMOD_C += $(USERMOD_DIR)/stand_ins.c
