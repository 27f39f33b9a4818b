policy_random.o: ../module/policy/random.c ../module/policy/table.h \
 ../module/policy/policy.h ../module/policy/port.h
../module/policy/table.h:
../module/policy/policy.h:
../module/policy/port.h:
