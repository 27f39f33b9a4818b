procfs.o: procfs.c procfs.h vmdemoctl.h ../module/policy/port.h \
 ../uapi/vmdemo.h output.h parse.h
procfs.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
output.h:
parse.h:
