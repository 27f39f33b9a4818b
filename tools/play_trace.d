play_trace.o: play_trace.c play.h device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h output.h
play.h:
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
output.h:
