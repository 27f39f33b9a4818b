cmd_stats.o: cmd_stats.c device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h output.h procfs.h
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
output.h:
procfs.h:
