#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A second reader of traces, written from docs/mallograph-trace.5 alone.

usage: second_reader.py TRACE...
Rebuilds the figures from the EVENTS and compares them with the counters of the same file.
Exit status: 0 fine (also: cut, damaged), 1 a mismatch, 2 not a trace, 3 it needs a newer reader.
"""
import importlib
import re
import struct
import sys
import zlib

MAGIC = b"\x89MLG\r\n\x1a\n"
MAX_BLOCK = 16 << 20
MAX_ID = (1 << 32) - 1
MAX_COUNT = (1 << 63) - 1
END, HAS_FIRST_TICK = 12, (6, 7)
META_NUMBERS = (4, 5, 6, 7, 9, 11)
EVENTS_STOPPED = 46
END_TAGS = {
	4: "peak_bytes", 5: "peak_blocks", 6: "peak_tick", 8: "allocations", 9: "deallocations",
	10: "reallocations", 11: "temporary", 12: "bytes", 13: "leaked_blocks", 14: "leaked_bytes",
	32: "unknown_frees", 33: "inherited_frees", 38: "stacks_unknown", 39: "stacks_incomplete",
	40: "stacks_cut", 41: "stacks_guessed"}
PRINTED = ("allocations deallocations reallocations temporary bytes peak_bytes peak_blocks peak_tick "
	"leaked_blocks leaked_bytes unknown_frees inherited_frees classes threads events").split()
UNKNOWN, GUESSED, CUT, INCOMPLETE = 1 << 32, 1, 2, 4  # UNKNOWN is no flag of a node


class Damaged(Exception): pass
class NotATrace(Exception): pass
class Newer(Exception): pass


def need(condition, what):
	if not condition:
		raise Damaged(what)


class Varints(dict):
	"""The numbers of the byte sequences met so far."""
	def __missing__(self, token):
		need(len(token) < 10 or len(token) == 10 and token[9] == 1, "a varint is too long")
		need(len(token) == 1 or token[-1], "a varint is longer than needed")
		number = sum((byte & 127) << 7 * i for i, byte in enumerate(token))
		if len(self) > 1 << 20:
			self.clear()
		self[token] = number
		return number


VARINT = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")
numbers = Varints()


def all_varints(data):
	if data.isascii():  # each byte is a number
		return list(data)
	need(data[-1] < 128, "a number does not end")
	return [numbers[token] for token in VARINT.findall(data)]


class Fields:
	def __init__(self, data, start=0, end=None):
		self.data, self.at, self.end = data, start, len(data) if end is None else end

	def more(self):
		return self.at < self.end

	def varint(self, most=(1 << 64) - 1):
		found = VARINT.match(self.data, self.at, self.end)
		need(found, "a number does not end")
		self.at = found.end()
		number = numbers[found.group()]
		need(number <= most, "a number is over its limit, or refers to nothing")
		return number

	def record(self):
		length = self.varint()
		need(length <= self.end - self.at, "a length is over what is left")
		self.at += length
		return Fields(self.data, self.at - length, self.at)

	string = record

	def tagged(self):
		while self.more():
			yield self.varint(MAX_ID), self.record()

	def whole_number(self):
		number = self.varint()
		need(not self.more(), "something follows the number in a field")
		return number


class Trace:
	def __init__(self):
		self.modules = self.strings = 0
		self.marks = [0]  # of each node: the flags of itself and all between it and the root
		self.named, self.timeline_tick, self.end = set(), 0, None
		self.class_counters, self.thread_counters = [], []
		# By class id; 0 is no class. seen[c] is the number of the peak for which peak[c] holds.
		self.size, self.node = [0], [0]
		self.allocs, self.temporary, self.live, self.seen, self.peak = [0], [0], [0], [0], [0]
		# By thread id: of each of its allocations the class, 0 once deallocated, and the tick.
		self.made, self.born = [[]], [[]]
		self.thread_deallocs, self.thread_temporary, self.thread_bytes = [0], [0], [0]
		self.tick = self.live_bytes = self.peak_bytes = self.peak_blocks = self.peak_tick = 0
		self.peaks = self.strays = self.reallocations = self.unknown = self.inherited = 0

	def block(self, kind, payload, first_tick):
		readers = (self.meta, self.module, self.nodes, self.classes, self.thread, self.events,
			self.point, self.string, self.symbol, self.counters, self.counters, self.totals)
		fields, read = Fields(payload), readers[kind - 1]
		if kind in (3, 4):
			read(all_varints(payload))
		elif kind == 6:
			read(fields, first_tick)
		elif kind in (10, 11):
			read(fields, *((self.class_counters, self.size, 4) if kind == 10 else
				(self.thread_counters, self.made, 4)), kind == 10)
		elif kind in (1, 12):
			read(fields)
		elif kind == 7 and fields.more():
			read(fields.record())
			need(self.timeline_tick == first_tick, "TIMELINE: not the tick of the header")
		while fields.more() and kind in (2, 5, 7, 8, 9):
			read(fields.record())

	def meta(self, fields):
		for tag, value in fields.tagged():
			if tag in META_NUMBERS:
				value.whole_number()

	def totals(self, fields):
		self.end = {tag: value.whole_number() for tag, value in fields.tagged() if tag <= EVENTS_STOPPED}

	def module(self, record):
		need(record.varint() <= record.varint(), "a module ends before it starts")
		record.varint(), record.string(), record.string()
		self.modules += 1

	def string(self, _):
		self.strings += 1

	def thread(self, record):
		number = record.varint(len(self.made))
		need(number, "THREADS: thread 0")
		record.varint(), record.string()
		if number == len(self.made):
			for column in (self.thread_deallocs, self.thread_temporary, self.thread_bytes):
				column.append(0)
			self.made.append([])
			self.born.append([])

	def point(self, record):
		self.timeline_tick += record.varint(MAX_COUNT)
		need(self.timeline_tick <= MAX_COUNT, "TIMELINE: a tick is over the limit")
		for _ in range(2):
			record.varint(MAX_COUNT)
		record.varint(MAX_COUNT)

	def symbol(self, record):
		address = record.varint(self.modules), record.varint()
		need(address not in self.named, "SYMBOLS: a second record of an address")
		self.named.add(address)
		for _ in range(record.varint()):
			record.varint(self.strings), record.varint(self.strings), record.varint(MAX_ID)

	def nodes(self, values):
		need(len(values) % 4 == 0, "NODES: the last one is not whole")
		for up, module, offset, flags in zip(*[iter(values)] * 4):
			own = len(self.marks)
			need(1 <= up <= own, "NODES: no such parent")
			need(module <= self.modules and flags <= MAX_ID, "NODES: no such module, or flags")
			need(not flags & (CUT | INCOMPLETE) or module == offset == 0, "NODES: CUT with an address")
			need(not flags & CUT or up == own, "NODES: CUT away from the root")
			self.marks.append(self.marks[own - up] | flags)

	def classes(self, values):
		need(len(values) % 3 == 0, "CLASSES: the last one is not whole")
		if not values:
			return
		need(max(values[0::3]) < len(self.marks), "CLASSES: no such node")
		need(max(values[1::3]) <= MAX_COUNT and max(values[2::3]) < 64, "CLASSES: over a limit")
		self.node += values[0::3]
		self.size += values[1::3]
		for column in (self.allocs, self.temporary, self.live, self.seen, self.peak):
			column.extend([0] * (len(values) // 3))

	def counters(self, fields, counters, defined, count, of_classes):
		need(fields.varint() == len(counters) + 1, "counters do not go on where they ended")
		while fields.more():
			record = fields.record()
			made, freed, temporary, last = row = tuple(record.varint(MAX_COUNT) for _ in range(count))
			if of_classes:
				need(temporary <= freed <= made >= last, "class counters that cannot be")
			counters.append(row)
			need(len(counters) < len(defined), "counters of what is not defined")

	def events(self, fields, first_tick):
		count, thread, tick = fields.varint(), fields.varint(len(self.made) - 1), fields.varint(MAX_COUNT)
		need(thread, "EVENTS: thread 0")
		need(self.tick <= tick == first_tick, "EVENTS: the tick is wrong")
		lengths = [fields.varint() for _ in range(fields.varint())]
		need(len(lengths) >= 5 and sum(lengths) == fields.end - fields.at, "EVENTS: wrong columns")
		columns = []
		for length in lengths[:5]:
			columns.append(fields.data[fields.at:fields.at + length])
			fields.at += length
