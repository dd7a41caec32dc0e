/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin in C++ whose function holds an object and waits to be cancelled. */
#include <pthread.h>
#include <string>
#include <unistd.h>

static int destroyed;

struct guard {
	std::string name = "a name that is longer than the short string buffer";
	~guard()
	{
		destroyed++;
	}
};

extern "C" void *wait_for_cancel(void *ready)
{
	guard first;
	guard second;

	*(volatile int *)ready = 1;
	for (;;)
		pause();
	return nullptr;
}

extern "C" int count_destroyed()
{
	return destroyed;
}
