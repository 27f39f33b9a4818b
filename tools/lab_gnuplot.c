// SPDX-License-Identifier: GPL-2.0-only
/* Curves in a picture: what gnuplot is told. */
#include "lab.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool picture_ends(const char *path, const char *suffix)
{
	size_t length = strlen(path), tail = strlen(suffix);

	return length > tail && !strcasecmp(path + length - tail, suffix);
}

int lab_check_picture(const char *path)
{
	if (!picture_ends(path, ".svg") && !picture_ends(path, ".png"))
		return ctl_usage("%s: a picture's name ends with .svg or .png", path);
	return CTL_OK;
}

/* A string of gnuplot's: what is in single quotes is taken as it is. */
void lab_gnuplot_quote(FILE *to, const char *text)
{
	fputc('\'', to);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', to);
		fputc(*text == '\n' ? ' ' : *text, to);
	}
	fputc('\'', to);
}

FILE *lab_gnuplot_start(const char *path, int width, int height)
{
	bool svg = picture_ends(path, ".svg");
	FILE *to;

	/* It may end before it has read all: that is an error, no death. */
	signal(SIGPIPE, SIG_IGN);
	fflush(NULL);
	to = popen("exec gnuplot", "we");
	if (!to) {
		ctl_fail("gnuplot: %s", strerror(errno));
		return NULL;
	}
	fprintf(to, "set terminal %s size %d,%d font 'sans,%d' background 'white'\n",
		svg ? "svg" : "pngcairo", width, height, svg ? 15 : 12);
	fputs("set output ", to);
	lab_gnuplot_quote(to, path);
	fputc('\n', to);
	return to;
}

static void picture_curve_data(FILE *to, const struct lab_curve *curve, size_t number)
{
	size_t i;

	fprintf(to, "$curve%zu << EOD\n", number);
	for (i = 0; i < curve->nr; i++)
		fprintf(to, "%.17g %.17g\n", curve->x[i], curve->y[i]);
	fputs("EOD\n", to);
}

static void picture_ws_data(FILE *to, const struct lab_ws *ws)
{
	size_t i;

	fputs("$ws << EOD\n", to);
	for (i = 0; i < ws->nr; i++)
		fprintf(to, "%llu %u\n", (__u64)ws->at[i], ws->size[i]);
	fputs("EOD\n", to);
}

static void picture_reuse_data(FILE *to, const struct lab_stack *stack)
{
	u32 i, last = lab_last_bucket(stack);

	fputs("$reuse << EOD\n", to);
	for (i = 0; i <= last; i++) {
		u64 from = lab_bucket_start(i), until = lab_bucket_start(i + 1) - 1;

		if (i > 1)
			fprintf(to, "\"%llu-%llu\" %llu\n", (__u64)from, (__u64)until,
				(__u64)stack->buckets[i]);
		else
			fprintf(to, "\"%llu\" %llu\n", (__u64)from, (__u64)stack->buckets[i]);
	}
	fprintf(to, "\"first use\" %llu\nEOD\n", (__u64)stack->cold);
}

static void picture_start(FILE *to, const struct lab_mrc *mrc)
{
	char name[128], title[256];

	snprintf(title, sizeof(title), "%s: %zu references to %u pages",
		 ctl_printable(mrc->trace->name, name, sizeof(name)), mrc->trace->nr,
		 mrc->trace->pages);
	fputs("set multiplot title ", to);
	lab_gnuplot_quote(to, title);
	fputs(" noenhanced\nset encoding utf8\nset grid\nset border 3\n"
	      "set tics nomirror out noenhanced\nset yrange [0:*]\n",
	      to);
}

/* Just the sizes there are; between few of them are no halves. */
static void picture_frames_axis(FILE *to, const struct lab_curve *curve, bool log_x)
{
	double first = curve->x[0], last = curve->x[curve->nr - 1];

	if (last > first)
		fprintf(to, "set xrange [%.0f:%.0f]\n", first, last);
	if (log_x)
		fputs("set logscale x\nset format x '%.0f'\n", to);
	else if (last - first <= 20)
		fputs("set xtics 1\n", to);
}

/*
 * Curves are told apart by colour, and by dashes where there are more than
 * colours. Where several are the same the ones below are wider, and show.
 */
static void picture_curves(FILE *to, const struct lab_mrc *mrc, bool log_x)
{
	static const char *const colours[] = {
		"#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2",
		"#17becf",
	};
	size_t i;

	fputs("set origin 0,0.47\nset size 1,0.49\nset xlabel 'frames'\n"
	      "set ylabel 'misses per reference'\nset title 'Miss-ratio curves'\n"
	      "set key outside right top noenhanced\n", to);
	picture_frames_axis(to, &mrc->curves[0], log_x);
	fputs("plot ", to);
	for (i = 0; i < mrc->nr_curves; i++) {
		const char *style = mrc->curves[i].nr > 50 ? "lines" : "linespoints pt 7 ps 0.5";

		fprintf(to, "%s$curve%zu using 1:2 with %s lw %.1f dt %zu lc rgb '%s' title ",
			i ? ", " : "", i, style,
			1.5 + 4.5 * (mrc->nr_curves - 1 - i) / mrc->nr_curves,
			i / ARRAY_SIZE(colours) % 4 + 1, colours[i % ARRAY_SIZE(colours)]);
		lab_gnuplot_quote(to, mrc->curves[i].name);
	}
	fputs("\nunset logscale x\nset format x '%.0f'\nunset key\nset xtics autofreq\n"
	      "set rmargin 8\n", to);
}

static void picture_below(FILE *to, const struct lab_mrc *mrc)
{
	fprintf(to, "set origin 0,0.235\nset size 1,0.235\nset xlabel 'references'\n"
		"set ylabel 'pages'\nset xrange [0:*]\n"
		"set title 'Working set: different pages in the last %llu references'\n"
		"plot $ws using 1:2 with lines lw 2 lc rgb '#1f77b4'\n",
		(__u64)mrc->ws.window);
	fputs("set origin 0,0\nset size 1,0.235\nset xrange [*:*]\n"
	      "set xlabel 'different pages used since the last use of the page'\n"
	      "set ylabel 'references'\nset title 'Reuse distances'\n"
	      "set style fill solid 0.8\nset boxwidth 0.8\nset xtics rotate by -35\n"
	      "plot $reuse using 0:2:xtic(1) with boxes lc rgb '#2ca02c'\n"
	      "unset multiplot\nunset output\n", to);
}

static bool picture_is_wide(const struct lab_mrc *mrc)
{
	const struct lab_curve *curve = &mrc->curves[0];

	return lab_is_wide(curve->x[0], curve->x[curve->nr - 1]);
}

int lab_gnuplot_end(FILE *to, const char *path)
{
	int status = pclose(to);

	if (!status)
		return CTL_OK;
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return ctl_fail("%s: gnuplot is not installed", path);
	return ctl_fail("%s: gnuplot failed", path);
}

int lab_picture(const struct lab_mrc *mrc, const char *path)
{
	FILE *to = lab_gnuplot_start(path, 1000, 1300);
	size_t i;

	if (!to)
		return CTL_FAILED;
	for (i = 0; i < mrc->nr_curves; i++)
		picture_curve_data(to, &mrc->curves[i], i);
	picture_ws_data(to, &mrc->ws);
	picture_reuse_data(to, &mrc->stack);
	picture_start(to, mrc);
	picture_curves(to, mrc, picture_is_wide(mrc));
	picture_below(to, mrc);
	return lab_gnuplot_end(to, path);
}
