# SPDX-License-Identifier: GPL-2.0-only
#
# vmdemo: the module, its tool, its tests. "make help" tells what there is.
# (The kernel's build system reads Kbuild, not this file.)

# KERNELRELEASE names the kernel to build for, KDIR its headers or tree.
KERNELRELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build

# Neither is a matter of the kernel's own make, which would trip over them.
unexport KDIR KERNELRELEASE
MAKEOVERRIDES := $(filter-out KDIR=% KERNELRELEASE=%,$(MAKEOVERRIDES))

ifdef DESTDIR
export INSTALL_MOD_PATH ?= $(DESTDIR)
endif

all: modules tools

modules modules_install: kernel-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

kernel-headers:
	@test -e $(KDIR)/Makefile || { \
	echo "vmdemo: no kernel headers in $(KDIR)." >&2; \
	echo "Install them (Debian: apt-get install linux-headers-$(KERNELRELEASE))," >&2; \
	echo "or say where they are: make KDIR=/usr/src/linux-headers-..." >&2; \
	exit 1; }

tools:
	$(MAKE) -C tools

install uninstall:
	$(MAKE) -C tools $@

demo:
	selftests/demo/demo.sh $(if $(NATIVE),--native)

lab:
	selftests/lab.sh --all

lab-shell:
	@selftests/labshell.sh

check:
	selftests/check.sh

# The kernel part of the tests elsewhere: with sanitizers, and on every kernel.
check-debug:
	selftests/all.sh debug

check-matrix:
	selftests/all.sh matrix

results:
	selftests/results.sh

bench:
	selftests/bench/bench.sh

bench-check:
	selftests/bench/bench.sh --check

bench-locks:
	selftests/bench/locks.sh

style:
	selftests/style.sh --setup

# By name and kind, not by the kernel's make: works without headers too.
clean:
	$(MAKE) -C tools clean
	$(MAKE) -C selftests clean
	$(MAKE) -C selftests/policy clean
	find . -path ./.git -prune -o -type f \( -name '*.o' -o -name '*.ko' \
		-o -name '*.mod' -o -name '*.mod.c' -o -name '*.a' -o -name '.*.cmd' \
		-o -name '*.o.d' -o -name '.*.d' \) -exec rm -f {} +
	rm -rf build Module.symvers modules.order .tmp_versions .module-common.o

help:
	@echo 'make                  the module for the running kernel, and vmdemoctl'
	@echo 'make modules          only the module'
	@echo 'make modules_install  put it under /lib/modules (then: depmod; modprobe vmdemo)'
	@echo 'make tools            only vmdemoctl'
	@echo 'make install          vmdemoctl, manual pages, udev rule, completion'
	@echo 'make uninstall        take those away again'
	@echo 'make demo             see it work, in a virtual machine (needs root or sudo once)'
	@echo 'make demo NATIVE=1    the same on the running kernel (needs root)'
	@echo 'make lab              the experiments of docs/lab, compared with what is written there'
	@echo 'make lab-shell        a shell in a virtual machine, with all of it installed'
	@echo 'make check            all tests; the last line is the result'
	@echo 'make check-debug      the tests on the device, on kernels with KASAN, lockdep,'
	@echo '                      KCSAN, ..., with faults injected (the kernels are built'
	@echo '                      on first use: half an hour)'
	@echo 'make check-matrix     the tests on the device, on 6.1, 6.12 and 7.2'
	@echo 'make results          docs/results.md: all policies on recorded programs'
	@echo 'make bench            what a fault costs, counted in instructions'
	@echo 'make bench-check      the same, compared with the figures that are committed'
	@echo 'make bench-locks      how often 8 threads that fault want the same lock'
	@echo 'make style            checkpatch, sparse, shellcheck, manual pages'
	@echo 'make clean            take away all that was built here'
	@echo
	@echo 'KDIR=DIR              kernel headers, or a built tree, to build against'
	@echo 'KERNELRELEASE=R       instead: /lib/modules/R/build'
	@echo 'DESTDIR=D PREFIX=P    where to install (default PREFIX: /usr/local)'
	@echo 'VMDEMO_KERNEL=V       kernel of demo, check, bench: 6.1 (default), 6.12, 7.2'
	@echo 'VMDEMO_CACHE=DIR      downloads and images (default ~/.cache/vmdemo)'

.PHONY: all modules modules_install kernel-headers tools install uninstall demo \
	lab results lab-shell check check-debug check-matrix bench bench-check bench-locks \
	style clean help
