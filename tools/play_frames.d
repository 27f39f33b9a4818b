play_frames.o: play_frames.c play.h device.h parse.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h
play.h:
device.h:
parse.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
