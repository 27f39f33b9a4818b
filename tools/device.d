device.o: device.c device.h parse.h vmdemoctl.h ../module/policy/port.h \
 ../uapi/vmdemo.h
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
