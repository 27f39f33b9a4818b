// SPDX-License-Identifier: GPL-2.0-only
/*
 * compute matrix|search: two programs that compute in large arrays of malloc(),
 * for docs/results.md, where these come from the device (paged.so).
 *
 *	matrix	the product of two matrices, tile by tile
 *	search	breadth-first through a graph of random edges
 *
 * The result is checked: a wrong one is told, and the exit status is 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N	384			/* rows and columns: 1.1 MiB a matrix */
#define TILE	32

#define NODES	20000
#define DEGREE	4			/* edges of a node */

#define LEAST	1048576UL		/* bytes that paged.so takes for large */

/* Not rand(): its numbers differ between C libraries. */
static unsigned long long state = 1;

static unsigned int number(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void *array(size_t size)
{
	void *p = malloc(size < LEAST ? LEAST : size);

	if (p)
		return p;
	fprintf(stderr, "compute: no memory\n");
	exit(2);
}

static void get_tile(double *tile, const double *from)
{
	for (int i = 0; i < TILE; i++)
		memcpy(tile + i * TILE, from + (size_t)i * N, TILE * sizeof(*tile));
}

static void add_tile(double *to, const double *tile)
{
	for (int i = 0; i < TILE; i++)
		for (int j = 0; j < TILE; j++)
			to[(size_t)i * N + j] += tile[i * TILE + j];
}

static void multiply_tile(double *z, const double *x, const double *y)
{
	memset(z, 0, TILE * TILE * sizeof(*z));
	for (int i = 0; i < TILE; i++)
		for (int k = 0; k < TILE; k++)
			for (int j = 0; j < TILE; j++)
				z[i * TILE + j] += x[i * TILE + k] * y[k * TILE + j];
}

static void set(double *m, double (*value)(int i, int j))
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			m[i * N + j] = value(i, j);
}

static double sum(int i, int j)
{
	return i + j;
}

static double diagonal_and_last_row(int i, int j)
{
	return i == j || i == N - 1;
}

static double zero(int i, int j)
{
	return 0 * (i + j);
}

static int matrix(void)
{
	static double x[TILE * TILE], y[TILE * TILE], z[TILE * TILE];
	double *a = array(sizeof(*a) * N * N), *b = array(sizeof(*b) * N * N);
	double *c = array(sizeof(*c) * N * N);

	set(a, sum);
	set(b, diagonal_and_last_row);
	set(c, zero);
	for (int i = 0; i < N; i += TILE) {
		for (int j = 0; j < N; j += TILE) {
			for (int k = 0; k < N; k += TILE) {
				get_tile(x, a + i * N + k);
				get_tile(y, b + k * N + j);
				multiply_tile(z, x, y);
				add_tile(c + i * N + j, z);
			}
		}
	}
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			if (c[i * N + j] != i + N - 1 + (j < N - 1 ? i + j : 0.0))
				return 1;
	return 0;
}

/* What is reached from the first node, and how far it is from it. */
static int walk(const int *edge, int *far, int *queue)
{
	int head = 0, tail = 1;

	far[0] = 0;
	queue[0] = 0;
	while (head < tail) {
		int from = queue[head++];

		for (int i = 0; i < DEGREE; i++) {
			int to = edge[from * DEGREE + i];

			if (far[to] >= 0)
				continue;
			far[to] = far[from] + 1;
			queue[tail++] = to;
		}
	}
	return tail;
}

/* One array for all three, as each alone would be too small to be taken. */
static int search(void)
{
	int *edge = array(sizeof(int) * (DEGREE + 2) * NODES);
	int *far = edge + DEGREE * NODES, *queue = far + NODES;

	/* The first edge of each leads to the next one: all can be reached. */
	for (int i = 0; i < NODES; i++) {
		far[i] = -1;
		for (int k = 0; k < DEGREE; k++)
			edge[i * DEGREE + k] = k ? (int)(number() % NODES) : (i + 1) % NODES;
	}
	if (walk(edge, far, queue) != NODES)
		return 1;
	for (int i = 1; i < NODES; i++)
		if (far[queue[i]] < far[queue[i - 1]])
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int wrong = 2;

	if (argc == 2 && !strcmp(argv[1], "matrix"))
		wrong = matrix();
	else if (argc == 2 && !strcmp(argv[1], "search"))
		wrong = search();
	if (wrong == 1)
		fprintf(stderr, "compute: %s: wrong result\n", argv[1]);
	else if (wrong)
		fprintf(stderr, "usage: compute matrix|search\n");
	return wrong;
}
