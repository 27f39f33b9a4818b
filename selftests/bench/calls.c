// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU that counts what each function of the guest's kernel takes:
 * every instruction and every call, none missed. On one CPU, and only between
 * two marks (an instruction that programs do not use otherwise, "bench mark").
 *
 * Calls are followed on a stack of our own: an instruction "call" puts on it where
 * it is to return to, and a "ret" that comes there takes off what is above. A
 * switch to another task finds no such place, and empties it.
 *
 * With each second mark three kinds of lines are written to the file that the
 * environment's CALLS_OUT names, addresses in hexadecimal:
 *
 *	total INSTRUCTIONS
 *	block ADDRESS INSTRUCTIONS		executed in the code from there on
 *	call CALLER CALLED CALLS INSTRUCTIONS	in what is called, all in all
 *
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define EXPORT	__attribute__((visibility("default")))
#define KERNEL(address)	((address) >> 63)
#define EDGES	262144			/* a power of 2: see edge_find() */
#define DEPTH	1024

EXPORT int qemu_plugin_version = 1;

enum kind { OTHER, CALL, RETURN };

/* A run of instructions without a jump but at its end. */
struct block {
	struct block *next;
	unsigned long address;
	unsigned long end;
	unsigned long executed;
	unsigned int instructions;
	enum kind kind;
};

struct edge {
	unsigned long caller;
	unsigned long called;
	unsigned long calls;
	unsigned long instructions;
};

struct call {
	unsigned long called;
	unsigned long returns_to;
	unsigned long began;
};

static struct block *blocks, *last;
static struct edge edges[EDGES];
static struct call stack[DEPTH];
static int depth;
static bool counting;
static unsigned long now;

static struct edge *edge_find(unsigned long caller, unsigned long called)
{
	unsigned long at = (caller * 0x9e3779b97f4a7c15 ^
		       called * 0xc2b2ae3d27d4eb4f) >> 46;

	while (edges[at].calls && (edges[at].caller != caller ||
				   edges[at].called != called))
		at = (at + 1) % EDGES;
	edges[at].caller = caller;
	edges[at].called = called;
	return &edges[at];
}

static void call_end(void)
{
	struct call *call = &stack[--depth];
	struct edge *edge;

	if (!counting)
		return;
	edge = edge_find(depth ? stack[depth - 1].called : 0, call->called);
	edge->calls++;
	edge->instructions += now - call->began;
}

static void call_end_all(int left)
{
	while (depth > left)
		call_end();
}

static void call_begin(unsigned long called, unsigned long returns_to)
{
	if (depth == DEPTH)
		call_end_all(0);
	stack[depth++] = (struct call){ called, returns_to, now };
}

static void call_return(unsigned long to)
{
	int i = depth - 1;

	while (i >= 0 && stack[i].returns_to != to)
		i--;
	if (i < 0) {
		call_end_all(0);
		call_begin(to, 0);
	} else {
		call_end_all(i);
	}
}

static void block_executed(unsigned int cpu, void *arg)
{
	struct block *block = arg;

	(void)cpu;
	if (!KERNEL(block->address)) {
		call_end_all(0);
	} else if (!last || !KERNEL(last->address)) {
		call_end_all(0);
		call_begin(block->address, 0);
	} else if (last->kind == CALL && block->address != last->end) {
		call_begin(block->address, last->end);
	} else if (last->kind == RETURN) {
		call_return(block->address);
	}
	if (counting) {
		now += block->instructions;
		block->executed++;
	}
	last = block;
}

static void write_all(FILE *f)
{
	struct block *block;
	int i;

	fprintf(f, "total %lu\n", now);
	for (block = blocks; block; block = block->next) {
		if (block->executed)
			fprintf(f, "block %lx %lu\n", block->address,
				block->executed * block->instructions);
		block->executed = 0;
	}
	for (i = 0; i < EDGES; i++)
		if (edges[i].calls)
			fprintf(f, "call %lx %lx %lu %lu\n", edges[i].caller,
				edges[i].called, edges[i].calls,
				edges[i].instructions);
	memset(edges, 0, sizeof(edges));
	now = 0;
}

static void marked(unsigned int cpu, void *arg)
{
	FILE *f;

	(void)cpu;
	(void)arg;
	depth = 0;
	counting = !counting;
	if (counting)
		return;
	f = fopen(getenv("CALLS_OUT"), "w");
	if (!f) {
		perror(getenv("CALLS_OUT"));
		exit(1);
	}
	write_all(f);
	fclose(f);
}

/* xchg %bx,%bx, in a program */
static void look_for_marks(struct qemu_plugin_tb *tb, size_t n)
{
	static const unsigned char mark[] = { 0x66, 0x87, 0xdb };
	struct qemu_plugin_insn *insn;
	size_t i;

	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		if (qemu_plugin_insn_size(insn) == sizeof(mark) &&
		    !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, 0,
							       NULL);
	}
}

static enum kind kind_of(const unsigned char *code, size_t size)
{
	size_t i = 0;

	/* Prefixes. */
	while (i + 1 < size && (code[i] == 0x2e || code[i] == 0x3e ||
				code[i] == 0xf2 || code[i] == 0xf3 ||
				(code[i] & 0xf0) == 0x40))
		i++;
	if (code[i] == 0xe8 ||
	    (code[i] == 0xff && i + 1 < size && (code[i + 1] >> 3 & 7) == 2))
		return CALL;
	return code[i] == 0xc3 || code[i] == 0xc2 ? RETURN : OTHER;
}

static void block_translated(unsigned long id, struct qemu_plugin_tb *tb)
{
	size_t size, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, n - 1);
	struct block *block = calloc(1, sizeof(*block));

	(void)id;
	if (!block)
		exit(1);
	size = qemu_plugin_insn_size(insn);
	block->address = qemu_plugin_tb_vaddr(tb);
	block->end = qemu_plugin_insn_vaddr(insn) + size;
	block->instructions = n;
	block->kind = kind_of(qemu_plugin_insn_data(insn), size);
	block->next = blocks;
	blocks = block;
	if (!KERNEL(block->address))
		look_for_marks(tb, n);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_executed, 0, block);
}

EXPORT int qemu_plugin_install(unsigned long id, const void *info, int argc, char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	return 0;
}
