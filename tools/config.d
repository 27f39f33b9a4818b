config.o: config.c config.h device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h ../module/policy/policy.h \
 ../module/policy/port.h procfs.h
config.h:
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
../module/policy/policy.h:
../module/policy/port.h:
procfs.h:
