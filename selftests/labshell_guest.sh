#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What labshell.sh's machine runs on its console: install, load, and a shell.

# The system's own files are thrown away with the machine: any may be added to.
cp -r /payload/root/. / && groupadd -rf vmdemo || exit 1
modprobe brd rd_nr=1 rd_size=262144 && insmod /payload/vmdemo.ko backing=/dev/ram0 || exit 1
cp -r /payload/lab /root/lab
cp /payload/refs /payload/steps /usr/local/bin/
cat >/root/.labrc <<'END'
. /usr/share/bash-completion/bash_completion
export LAB=/payload
PS1='lab:\w\$ '
# What a console of unknown size cannot show, and a program cannot read.
bind 'set enable-bracketed-paste off'
END
cat <<'END'

The module is loaded, pages go to a RAM disk. vmdemoctl is installed, with
completion; the pages of the course are here: less README.md

END
cd /root/lab || exit 1
exec bash --rcfile /root/.labrc -i
