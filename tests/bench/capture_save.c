/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/capture.h"

FILE *capture_create(const char *path, const struct capture_session *session)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return NULL;
	fwrite(CAPTURE_MAGIC, 8, 1, file);
	capture_write(file, CAPTURE_SESSION, 0, session, sizeof(*session));
	return file;
}

void capture_write(FILE *file, enum capture_kind kind, uint32_t ring, const void *bytes,
		   uint64_t size)
{
	struct capture_record record = {kind, ring, size};

	fwrite(&record, sizeof(record), 1, file);
	if (size != 0)
		fwrite(bytes, size, 1, file);
}

static void write_nodes(FILE *file, const struct shared *shared, const struct session *session)
{
	const uint32_t *directory = shared_chunk(shared, session->node_directory);
	uint32_t count = atomic_load(&session->node_count);

	for (uint32_t id = 0; directory != NULL && id < count; id += NODES_PER_CHUNK) {
		const struct shared_node *nodes =
		    shared_chunk(shared, directory[id / NODES_PER_CHUNK]);
		uint32_t some = count - id < NODES_PER_CHUNK ? count - id : NODES_PER_CHUNK;

		if (nodes == NULL)
			return;
		capture_write(file, CAPTURE_NODES, 0, nodes, some * sizeof(*nodes));
	}
}

int capture_finish(FILE *file, const struct shared *shared, const struct session *session)
{
	uint32_t left = atomic_load(&session->module_bytes);
	int failed;

	write_nodes(file, shared, session);
	for (unsigned i = 0; left > 0 && i < MODULE_CHUNKS; i++) {
		uint32_t some = left < CHUNK_BYTES ? left : CHUNK_BYTES;
		const void *records = shared_chunk(shared, session->module_chunk[i]);

		if (records == NULL)
			break;
		capture_write(file, CAPTURE_MODULES, 0, records, some);
		left -= some;
	}
	failed = ferror(file);
	return fclose(file) == 0 && !failed ? 0 : -1;
}
