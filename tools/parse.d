parse.o: parse.c parse.h
parse.h:
