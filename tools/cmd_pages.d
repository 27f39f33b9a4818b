cmd_pages.o: cmd_pages.c device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h output.h
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
output.h:
