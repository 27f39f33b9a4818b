cmd_info.o: cmd_info.c device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h output.h
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
output.h:
