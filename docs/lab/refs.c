// SPDX-License-Identifier: GPL-2.0-only
/*
 * refs ALGORITHM: run an algorithm on arrays, and print each use of an element
 * as valgrind's lackey does: " L address,size", S for a store. The arrays have
 * made-up addresses, each begins a page of its own, and nothing but the arrays
 * is counted: so the reference string is the same on every machine.
 *
 * If the result of the algorithm is wrong, it says so and fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N	32			/* rows and columns of a matrix */
#define KEYS	4096			/* to be sorted */
#define SIDE	64			/* of the grid that is searched */
#define CELLS	(SIDE * SIDE)

/* Where the arrays are said to be: far enough apart for any page size. */
enum { A = 1 << 20, B = 2 << 20, C = 3 << 20 };

static void load(long array, long i)
{
	printf(" L %08lx,8\n", array + 8 * i);
}

static void store(long array, long i)
{
	printf(" S %08lx,8\n", array + 8 * i);
}

/* Not rand(): its numbers differ between C libraries. */
static unsigned long long state = 1;

static unsigned int number(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

/* C = A * B, by rows of B (ikj) or by its columns (ijk). */

static long long a[N * N], b[N * N], c[N * N];

static void multiply_add(int i, int j, int k)
{
	load(A, i * N + k);
	load(B, k * N + j);
	load(C, i * N + j);
	store(C, i * N + j);
	c[i * N + j] += a[i * N + k] * b[k * N + j];
}

static int multiply(int by_rows)
{
	for (int i = 0; i < N * N; i++) {
		a[i] = i % 7;
		b[i] = i % 5;
	}
	for (int i = 0; i < N; i++)
		for (int x = 0; x < N; x++)
			for (int y = 0; y < N; y++)
				multiply_add(i, by_rows ? y : x, by_rows ? x : y);
	for (int i = 0; i < N * N; i++) {
		for (int k = 0; k < N; k++)
			c[i] -= a[i / N * N + k] * b[k * N + i % N];
		if (c[i])
			return 1;
	}
	return 0;
}

static int ijk(void)
{
	return multiply(0);
}

static int ikj(void)
{
	return multiply(1);
}

/* Two ways to sort the same keys. */

static unsigned int key[KEYS];

static unsigned int get(int i)
{
	load(A, i);
	return key[i];
}

static void put(int i, unsigned int value)
{
	store(A, i);
	key[i] = value;
}

static void swap(int i, int j)
{
	unsigned int x = get(i), y = get(j);

	put(i, y);
	put(j, x);
}

static void quick(int from, int to)
{
	int i = from, j = to;
	unsigned int pivot;

	if (from >= to)
		return;
	pivot = get(from + (to - from) / 2);
	while (i <= j) {
		while (get(i) < pivot)
			i++;
		while (get(j) > pivot)
			j--;
		if (i <= j)
			swap(i++, j--);
	}
	quick(from, j);
	quick(i, to);
}

static void sink(int i, int n)
{
	for (int child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && get(child + 1) > get(child))
			child++;
		if (get(i) >= get(child))
			return;
		swap(i, child);
	}
}

static void heap(int n)
{
	for (int i = n / 2 - 1; i >= 0; i--)
		sink(i, n);
	for (int end = n - 1; end > 0; end--) {
		swap(0, end);
		sink(0, end);
	}
}

static int sort(int by_heap)
{
	for (int i = 0; i < KEYS; i++)
		key[i] = number();
	if (by_heap)
		heap(KEYS);
	else
		quick(0, KEYS - 1);
	for (int i = 1; i < KEYS; i++)
		if (key[i - 1] > key[i])
			return 1;
	return 0;
}

static int quicksort(void)
{
	return sort(0);
}

static int heapsort_(void)
{
	return sort(1);
}

/*
 * Breadth-first search of a grid, from a corner to all cells. A has four
 * neighbours a cell, B the distances, C the queue. The cells are numbered row
 * by row, or the same grid has them numbered at random.
 */

static int cell[CELLS];			/* the number of a place in the grid */
static int next[CELLS][4];
static int distance[CELLS];
static int queue[CELLS];

static void shuffle(void)
{
	for (int i = CELLS - 1; i > 0; i--) {
		int j = number() % (i + 1), old = cell[i];

		cell[i] = cell[j];
		cell[j] = old;
	}
}

/* A cell at the edge is its own neighbour there. */
static void connect_grid(void)
{
	for (int p = 0; p < CELLS; p++) {
		int *to = next[cell[p]], x = p % SIDE, y = p / SIDE;

		to[0] = cell[y ? p - SIDE : p];
		to[1] = cell[x ? p - 1 : p];
		to[2] = cell[x < SIDE - 1 ? p + 1 : p];
		to[3] = cell[y < SIDE - 1 ? p + SIDE : p];
	}
}

static void visit(int to, int far, int *tail)
{
	load(B, to);
	if (distance[to] >= 0)
		return;
	store(B, to);
	distance[to] = far;
	store(C, *tail);
	queue[(*tail)++] = to;
}

static int search(int shuffled)
{
	int head = 0, tail = 0;

	for (int i = 0; i < CELLS; i++) {
		cell[i] = i;
		distance[i] = -1;
	}
	if (shuffled)
		shuffle();
	connect_grid();
	visit(cell[0], 0, &tail);
	while (head < tail) {
		int from = queue[head];

		load(C, head++);
		for (int i = 0; i < 4; i++) {
			load(A, 4 * from + i);
			visit(next[from][i], distance[from] + 1, &tail);
		}
	}
	return distance[cell[CELLS - 1]] != 2 * (SIDE - 1);
}

static int bfs(void)
{
	return search(0);
}

static int bfs_shuffled(void)
{
	return search(1);
}

static const struct {
	const char *name;
	int (*run)(void);
} algorithm[] = {
	{ "ijk", ijk },
	{ "ikj", ikj },
	{ "quicksort", quicksort },
	{ "heapsort", heapsort_ },
	{ "bfs", bfs },
	{ "bfs-shuffled", bfs_shuffled },
};

#define ALGORITHMS	(sizeof(algorithm) / sizeof(*algorithm))

static int help(FILE *to, int status)
{
	fputs("usage: refs ALGORITHM\nOne of", to);
	for (size_t i = 0; i < ALGORITHMS; i++)
		fprintf(to, " %s", algorithm[i].name);
	fputs("\n", to);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return help(stdout, 0);
	for (size_t i = 0; argc == 2 && i < ALGORITHMS; i++) {
		if (strcmp(argv[1], algorithm[i].name))
			continue;
		if (!algorithm[i].run())
			return fflush(stdout) ? 1 : 0;
		fprintf(stderr, "refs: %s: wrong result\n", argv[1]);
		return 1;
	}
	fprintf(stderr, "refs: no algorithm '%s'\n", argc > 1 ? argv[1] : "");
	return help(stderr, 2);
}
