output.o: output.c output.h vmdemoctl.h ../module/policy/port.h \
 ../uapi/vmdemo.h parse.h
output.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
parse.h:
