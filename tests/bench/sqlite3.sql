-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Rows of different lengths into an indexed table in memory, then aggregates, string
-- functions and a join over all of them: half a million allocations.
CREATE TABLE entry (id INTEGER PRIMARY KEY, key TEXT, value TEXT);
CREATE INDEX entry_key ON entry (key);
WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 28000)
INSERT INTO entry SELECT i, printf('key-%08d', i * 7919 % 28000), hex(zeroblob(100 + i % 200))
FROM number;
SELECT count(*), sum(length(value)) FROM entry;
SELECT substr(key, 1, 8), count(*), sum(length(replace(value, '00', 'abc'))),
	length(group_concat(upper(key) || lower(value)))
FROM entry GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM entry a JOIN entry b ON a.key = b.key WHERE a.value || b.value LIKE '%000';
