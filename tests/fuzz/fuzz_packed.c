/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gzip and zstd make of a file of heaptrack: the reader's own handling of members and frames,
 * without what is done with the text. */
#include "formats/heaptrack/reader.h"
#include "formats/trace/source.h"
#include "tests/fuzz/fuzz.h"

void fuzz_packed(const uint8_t *bytes, size_t size)
{
	static const struct heaptrack_visitor visitor;
	struct heaptrack_reader *reader;
	struct trace_source source;
	enum trace_state state;

	if (trace_source_open(&source, fuzz_file(0, bytes, size)) ||
	    heaptrack_reader_open(&reader, &source))
		return;
	heaptrack_reader_read(reader, &visitor, NULL, &state);
	heaptrack_reader_close(reader);
}
