policy_lfu.o: ../module/policy/lfu.c ../module/policy/list.h \
 ../module/policy/policy.h ../module/policy/port.h \
 ../module/policy/table.h
../module/policy/list.h:
../module/policy/policy.h:
../module/policy/port.h:
../module/policy/table.h:
