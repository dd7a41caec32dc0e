/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lookups ROUNDS: has libc load modules of its own, for character sets and for names of users,
 * groups and hosts, and give back what it allocated for each question. */
#include <grp.h>
#include <iconv.h>
#include <netdb.h>
#include <pwd.h>

#include "expect.h"

static void convert(const char *to)
{
	iconv_t converter = iconv_open(to, "LATIN1");
	char from[] = "characters", into[128];
	char *in = from, *out = into;
	size_t left = sizeof(from), room = sizeof(into);

	MUST(converter != (iconv_t)-1);
	MUST(iconv(converter, &in, &left, &out, &room) != (size_t)-1);
	MUST(!iconv_close(converter));
}

static void look_up(const char *host)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, "80", &hints, &found) == 0)
		freeaddrinfo(found);
}

int main(int argc, char **argv)
{
	MUST(argc == 2);
	for (int i = 0; i < atoi(argv[1]); i++) {
		convert("UTF-16");
		convert("CP1047");
		MUST(getpwnam("root"));
		MUST(getgrnam("nogroup"));
		look_up("localhost");
		look_up("127.0.0.1");
	}
	say("fine\n");
	return 0;
}
