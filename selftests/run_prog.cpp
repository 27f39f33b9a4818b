// SPDX-License-Identifier: GPL-2.0-only
// A C++ program for "vmdemoctl run": containers, strings, exceptions, alignment.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

struct alignas(128) wide {
	uint64_t value[16];
};

static uint64_t state = 1;

static uint64_t next()
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

int main(int argc, char **argv)
{
	const size_t n = argc > 1 ? std::stoul(argv[1]) : 1000;
	std::unordered_map<std::string, std::vector<uint64_t>> lists;
	std::map<uint64_t, std::unique_ptr<wide>> sorted;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		lists["key number " + std::to_string(next() % (n / 4 + 1))].push_back(i);
		auto &w = sorted[next() % n];

		w = std::make_unique<wide>();
		w->value[i % 16] = i;
		if (reinterpret_cast<uintptr_t>(w.get()) % alignof(wide))
			throw std::runtime_error("not aligned");
		if (i % 3 == 0)
			sorted.erase(sorted.begin());
	}
	for (const auto &entry : lists)
		sum += entry.first.size() * entry.second.size() + entry.second.back();
	for (const auto &entry : sorted)
		for (uint64_t v : entry.second->value)
			sum = sum * 31 + v + entry.first;
	try {
		std::vector<uint64_t> huge(SIZE_MAX / 64);

		std::puts("too much memory");
	} catch (const std::bad_alloc &) {
		std::puts("bad_alloc");
	}
	std::printf("%zu lists, %zu sorted, %llu\n", lists.size(), sorted.size(),
		    static_cast<unsigned long long>(sum));
	return 0;
}
