policy_table.o: ../module/policy/table.c ../module/policy/table.h \
 ../module/policy/policy.h ../module/policy/port.h
../module/policy/table.h:
../module/policy/policy.h:
../module/policy/port.h:
