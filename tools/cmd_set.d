cmd_set.o: cmd_set.c config.h device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h output.h
config.h:
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
output.h:
