cmd_list.o: cmd_list.c output.h vmdemoctl.h ../module/policy/port.h \
 ../uapi/vmdemo.h parse.h procfs.h
output.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
parse.h:
procfs.h:
