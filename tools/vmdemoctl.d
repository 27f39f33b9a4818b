vmdemoctl.o: vmdemoctl.c vmdemoctl.h ../module/policy/port.h \
 ../uapi/vmdemo.h
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
