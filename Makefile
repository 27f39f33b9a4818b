# SPDX-License-Identifier: GPL-2.0-only
KERNELRELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
