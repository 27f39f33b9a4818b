cmd_policies.o: cmd_policies.c output.h vmdemoctl.h \
 ../module/policy/port.h ../uapi/vmdemo.h procfs.h \
 ../module/policy/policy.h ../module/policy/port.h
output.h:
vmdemoctl.h:
../module/policy/port.h:
../uapi/vmdemo.h:
procfs.h:
../module/policy/policy.h:
../module/policy/port.h:
