# SPDX-License-Identifier: LGPL-2.1-or-later
"""A second reader of traces, from docs/mallograph-trace.5 alone. It rebuilds the figures from the EVENTS and compares
them with the counters of the same file. Exit status: 0 fine, cut, damaged; 1 mismatch; 2 not a trace; 3 newer or older."""
import collections, functools, itertools, operator, re, struct, subprocess, sys, zlib

META, MODULES, NODES, CLASSES, THREADS, EVENTS, TIMELINE, STRINGS, SYMBOLS, OF_CLASS, OF_THREAD, END = range(1, 13)
OTHER, SECOND, TICKS, ALLOCATION, TEMPORARY, DEALLOCATION, RECENT, STEP, THREAD, UNKNOWN_FREE, INHERITED_FREE = range(11)
REALLOC, OTHER_THREAD, YOUNG, LATEST = 16, 32, 64, 256
FLAGS = {DEALLOCATION: REALLOC | OTHER_THREAD | YOUNG} | dict.fromkeys((ALLOCATION, TEMPORARY, RECENT, STEP), REALLOC)
U32, COUNT, U64, MAX_BLOCK = (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1, 1 << 24
CUT, INCOMPLETE, EVENTS_STOPPED, SUPPRESSIONS = 2, 4, 46, 13
NUMBER_TAGS = {META: (4, 5, 6, 7, 9, 11), END: (*range(1, 15), *range(32, 49))}
KEYS = {"allocations": 8, "deallocations": 9, "reallocations": 10, "temporary": 11, "bytes": 12,  # and tags in END
	"peak_bytes": 4, "peak_blocks": 5, "peak_tick": 6, "leaked_blocks": 13, "leaked_bytes": 14,
	"unknown_frees": 32, "inherited_frees": 33, "classes": 0, "threads": 0, "events": 0}
VARINT = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")

class Fault(Exception): pass  # the exit status that it leads to, 0 for damage; and what is wrong
def need(condition, what, status=0):
	if not condition:
		raise Fault(status, what)

@functools.lru_cache(1 << 18)
def decode(varint):
	need((varint[-1] or len(varint) == 1) and varint[9:] in (b"", b"\x01"), "a varint that is too long")
	return sum((byte & 127) << 7 * i for i, byte in enumerate(varint))

class Fields:
	def __init__(self, data):
		self.data, self.at = data, 0
	def __len__(self):
		return len(self.data) - self.at
	def number(self, most=U64, least=0):
		need(found := VARINT.match(self.data, self.at), "a number that does not end")
		self.at, number = found.end(), decode(found.group())
		need(least <= number <= most, f"{number} is over a limit or refers to nothing: {most} at most")
		return number
	def bytes(self, length=None):
		length = self.number() if length is None else length
		need(length <= len(self), "a length over what is left")
		self.at += length
		return self.data[self.at - length:self.at]
	def byte(self):
		need(self.at < len(self.data), "a column that ends too early")
		self.at += 1
		return self.data[self.at - 1]
	def columns(self, known):
		lengths = [self.number() for _ in range(self.number())]
		need(len(lengths) >= known and sum(lengths) == len(self), "columns that do not add up")
		return [Fields(self.bytes(length)) for length in lengths][:known]
	def rows(self, known):
		columns = []
		for column in self.columns(known):
			need(not column or column.data[-1] < 128, "a number that does not end")
			columns.append(list(map(decode, VARINT.findall(column.data))))
		need(len(set(map(len, columns))) == 1, "columns that are not of the same things")
		return zip(*columns)

def signed(number):
	return number >> 1 ^ -(number & 1)

class Trace:
	def __init__(self):
		self.defined, self.point = [0] * 13, 0  # by type of block
		self.named, self.values, self.end, self.rows = set(), {}, {EVENTS_STOPPED: 1}, {OF_CLASS: [], OF_THREAD: []}
		# By class id, from 1. peak[c] is the share in the last peak if noted[c] == peaks; else it is live[c].
		self.size, self.temporary, self.live, self.noted, self.peak = ([0] for _ in range(5))
		# By thread id, from 1. made: the class and the birth of each allocation.
		self.made, self.frees, self.shortlived = [[]], [0], [0]
		self.blocks = collections.Counter()  # live ones, by class, thread and birth
		# What goes on from one block of events to the next. latest: of each of the last allocations, by its number,
		# class, thread, birth and its number among those of the thread.
		self.thread = self.top = self.allocated = self.stepped = self.birth = self.four = self.one = 0
		self.latest, self.table_of_four, self.table_of_one = {}, {}, {}
		self.tick = self.live_blocks = self.live_bytes = self.peaks = self.peak_bytes = self.peak_blocks = self.peak_tick = self.bytes = 0
		self.reallocations = self.unknown = self.inherited = self.strays = 0

	def block(self, kind, payload, first_tick):
		fields, read = Fields(payload), {NODES: self.nodes, CLASSES: self.classes, EVENTS: self.events}.get(kind)
		self.values = {}
		if read:
			read(fields, first_tick)
		elif kind in self.rows:
			self.counters(kind, fields)
		elif kind == TIMELINE and fields:
			need(self.point + Fields(Fields(payload).bytes()).number() == first_tick, "not the tick of the header")
		while fields:
			tag = fields.number(U32) if kind in NUMBER_TAGS else 0
			self.record(kind, tag, Fields(fields.bytes()))
		self.end = self.values if kind == END else self.end

	def record(self, kind, tag, record):
		self.defined[kind] += 1
		if (kind, tag) == (META, SUPPRESSIONS):
			record.number(self.defined[MODULES], 1), record.number(self.defined[STRINGS])
		elif tag in NUMBER_TAGS.get(kind, ()):
			self.values[tag] = record.number()
			need(not record, "a field with more than its number")
		elif kind == MODULES:
			need(record.number() <= record.number(), "a module that ends before it starts")
			record.number(), record.bytes(), record.bytes()
		elif kind == THREADS:
			number, _, _ = record.number(len(self.made), 1), record.number(), record.bytes()
			if number == len(self.made):
				self.made.append([]), self.frees.append(0), self.shortlived.append(0)
		elif kind == TIMELINE:
			self.point += [record.number(COUNT) for _ in range(4)][0]
			need(self.point <= COUNT, "a tick over the limit")
		elif kind == SYMBOLS:
			self.named.add((record.number(self.defined[MODULES]), record.number()))
			need(len(self.named) == self.defined[SYMBOLS], "two records of symbols of an address")
			for _ in range(record.number()):
				record.number(self.defined[STRINGS]), record.number(self.defined[STRINGS]), record.number(U32)

	def counters(self, kind, fields):
		defined = self.made if kind == OF_THREAD else self.live
		for allocations, left, temporary, last in fields.rows(4):
			row = allocations, allocations - left, temporary, last
			need(max(row) <= COUNT and temporary <= row[1] <= allocations, "counters that cannot be")
			need(left <= allocations and (kind == OF_THREAD or last <= allocations), "counters that cannot be")
			self.rows[kind].append(row)
			need(len(self.rows[kind]) < len(defined), "counters of what is not defined")

	def nodes(self, fields, _):
		for up, module, offset, flags in fields.rows(4):
			own = self.defined[NODES] = self.defined[NODES] + 1
			need(1 <= up <= own and module <= self.defined[MODULES], "a node with no such parent or module")
			need(flags <= U32 and (not flags & CUT or up == own), "a node with wrong flags")
			need(not flags & (CUT | INCOMPLETE) or module == offset == 0, "a node that must not have an address")

	def classes(self, fields, _):
		node = 0
		for step, size, function in fields.rows(3):
			node += signed(step)
			need(0 <= node <= self.defined[NODES], "a class with a wrong node")
			need(size <= COUNT and function < 64, "a class with a wrong number")
			for column, start in (self.size, size), (self.temporary, 0), (self.live, 0), (self.noted, 0), (self.peak, 0):
				column.append(start)

	def events(self, fields, first_tick):
		left = fields.number(1 << 20)
		need(self.tick <= first_tick <= COUNT, "events with a wrong tick at the start")
		self.tick, columns = first_tick, fields.columns(14)
		operations, others, runs, _, _, _, threads, ticks, ages, steps, birth_runs = columns[:11]
		same = birth_runs.number()  # so many DEALLOCATIONs have the birth of the one before

		def number(column):
			if (byte := columns[column].byte()) < 192:
				return byte
			if byte < 255:
				return 192 + 256 * (byte - 192) + columns[column + 1].byte()
			return 192 + columns[column + 2].number(U64 - 192, 63 * 256)

		more = True
		while more:
			more = len(operations) > 0
			token = operations.byte() if more else 31 << 3
			run = token >> 3
			run += runs.number() - (0 if more else 31) if run == 31 else 0
			need(run + more <= left, "more operations than there are")
			left -= run + more
			for guess in range(run + more):
				first, second, kind = self.four >> 48, self.one >> 50, token & 7
				if guess < run or kind == SECOND:
					symbol = self.table_of_four.get(first) if guess < run else self.table_of_one.get(second)
					need(symbol, "a guess of nothing")
					operation, value = symbol & 127, symbol >> 7
				elif kind == TICKS:
					self.tick += ticks.number(COUNT - self.tick, 1)
					continue
				else:
					operation = kind or others.byte()
					kind, value = operation & 15, 0
					need(ALLOCATION <= kind <= INHERITED_FREE and operation < 128, "an unknown operation")
					if kind <= DEALLOCATION:
						value = number(3)
					elif kind <= STEP:
						value = ages.byte() if kind == RECENT else steps.byte()
					elif kind == THREAD:
						value = threads.number()
					symbol = operation | value << 7 if value < 1 << 25 else operation
				if value < 1 << 25:
					self.table_of_four[first] = self.table_of_one[second] = symbol
				self.one = symbol * 0x9E3779B97F4A7C15 & U64
				self.four = self.four * 0xFEB86659FD930000 + self.one & U64
				kind = operation & 15
				need(not operation & ~15 & ~FLAGS.get(kind, 0), "an unknown flag")
				need(kind == THREAD or self.thread, "an event before its thread")
				if kind <= DEALLOCATION:
					self.top = max(self.top, value := value or self.top + 1)
					need(value < len(self.live), "events of what is not defined")
				if kind in (ALLOCATION, TEMPORARY):
					self.allocate(value, operation & REALLOC)
					if kind == TEMPORARY:
						self.deallocate(value, self.thread, self.tick, 0)
						del self.latest[self.allocated]
				elif kind in (RECENT, STEP):
					self.stepped = self.allocated - value if kind == RECENT else self.stepped + signed(value)
					need(self.stepped in self.latest, "a deallocation of nothing")
					c, owner, birth, before = self.latest.pop(self.stepped)
					self.deallocate(c, owner, birth, len(self.made[owner]) - before)
				elif kind == DEALLOCATION:
					owner = threads.number(len(self.made) - 1, 1) if operation & OTHER_THREAD else self.thread
					age = ages.byte() if operation & YOUNG else LATEST
					if same:
						same -= 1
					else:
						self.birth, same = self.tick - number(11), birth_runs.number()
					need(0 <= self.birth, "a block older than the recording")
					made = self.made[owner]
					self.strays += age < LATEST and made[-1 - age:][:1] != [(value, self.birth)]
					self.deallocate(value, owner, self.birth, age)
				elif kind == THREAD:
					need(0 < value < len(self.made), "events of what is not defined")
					self.thread = value
				else:
					self.unknown += kind == UNKNOWN_FREE
					self.inherited += kind == INHERITED_FREE
		need(not left and not same and not any(columns), "operations or columns left over")

	def note(self, c):
		if self.noted[c] != self.peaks:
			self.noted[c], self.peak[c] = self.peaks, self.live[c]

	def allocate(self, c, realloc):
		self.note(c)
		self.live[c] += 1
		self.live_blocks += 1
		self.live_bytes += self.size[c]
		self.bytes += self.size[c]
		need(self.bytes <= COUNT, "a sum of sizes over the limit")
		self.reallocations += realloc != 0
		self.blocks[c, self.thread, self.tick] += 1
		self.made[self.thread].append((c, self.tick))
		self.allocated += 1
		self.latest[self.allocated] = c, self.thread, self.tick, len(self.made[self.thread])
		self.latest.pop(self.allocated - LATEST, None)
		if self.live_bytes > self.peak_bytes:
			self.peak_bytes, self.peaks = self.live_bytes, self.peaks + 1
			self.peak_blocks, self.peak_tick = self.live_blocks, self.tick

	def deallocate(self, c, owner, birth, later):
		self.note(c)
		need(self.live[c], "a deallocation of nothing")
		self.live[c] -= 1
		self.live_blocks -= 1
		self.live_bytes -= self.size[c]
		self.frees[owner] += 1
		self.temporary[c] += later == 0
		self.shortlived[owner] += later == 0
		self.strays += not self.blocks[c, owner, birth]
		self.blocks[c, owner, birth] -= 1

	def figures(self):
		size, live = self.size, self.live
		made = collections.Counter(c for c, _ in itertools.chain(*self.made))
		peak = [peak if noted == self.peaks else live for peak, noted, live in zip(self.peak, self.noted, live)]
		classes = [(made[c], made[c] - live[c], self.temporary[c], peak[c]) for c in range(1, len(size))]
		threads = [(len(made), frees, temporary, sum(size[c] for c, _ in made))
			for made, frees, temporary in zip(self.made, self.frees, self.shortlived)][1:]
		allocations, frees = self.allocated, sum(self.frees)
		totals = dict(zip(KEYS, (allocations, frees, self.reallocations, sum(self.temporary),
			self.bytes, self.peak_bytes, self.peak_blocks, self.peak_tick, sum(live), sum(map(operator.mul, live, size)),
			self.unknown, self.inherited, len(classes), len(threads),
			allocations + frees + self.unknown + self.inherited)))
		return totals, {OF_CLASS: classes, OF_THREAD: threads}

	def mismatches(self, totals, rows):
		for key, tag in KEYS.items():
			if tag and self.end.get(tag, 0) != totals[key]:
				yield f"{key}: END says {self.end.get(tag, 0)}, the events {totals[key]}"
		for kind, what in (OF_CLASS, "class"), (OF_THREAD, "thread"):
			for number, pair in enumerate(itertools.zip_longest(self.rows[kind], rows[kind]), 1):
				if pair[0] != pair[1]:
					yield f"{what} {number}: its counters say %s, the events %s" % pair
		if self.strays:
			yield f"{self.strays} deallocations that lead to no live allocation of the class"

def unzstd(stored):  # python has none of its own before 3.14
	try:
		run = subprocess.run(["zstd", "-dcq"], input=stored, capture_output=True)
	except FileNotFoundError as error:
		raise Fault(3, "the zstd command is not installed") from error
	need(run.returncode == 0, f"a payload: {run.stderr.decode().strip()}")
	return run.stdout

def unzlib(stored, raw):
	stream = zlib.decompressobj()
	try:
		stored = stream.decompress(stored, raw + 1)
	except zlib.error as error:
		raise Fault(0, f"a payload: {error}") from error
	need(stream.eof and not stream.unused_data, "a payload that is not one whole stream")
	return stored

def decompress(codec, stored, raw):
	need(codec <= 2, f"codec {codec}: written by a newer version", 3)
	stored = stored if codec == 0 else unzlib(stored, raw) if codec == 1 else unzstd(stored)
	need(len(stored) == raw, "a payload of another length")
	return stored

def read(file, trace):
	major, _, reserved = struct.unpack("<HHI", (header := file.read(16))[8:].ljust(8, b"\0"))
	need(header and header[:8] == b"\x89MLG\r\n\x1a\n"[:len(header)], "not a trace", 2)
	need(len(header) < 16 or major == 2 and not reserved, f"major version {major}", 3 if major else 2)
	while len(header := file.read(32)) == 32:
		magic, kind, codec, flags, stored, raw, tick, payload_crc, crc = struct.unpack("<4sBBHIIQII", header)
		need(magic == b"Mblk" and crc == zlib.crc32(header[:28]), "the header of a block")
		need(flags < 256, f"flags {flags:#x}: written by a newer version", 3)
		need(stored <= MAX_BLOCK and raw <= MAX_BLOCK, "a block over 16 MiB")
		if len(payload := file.read(stored)) < stored:
			break
		if META <= kind <= END:
			need(payload_crc == zlib.crc32(payload), "the CRC of a payload")
			trace.block(kind, decompress(codec, payload, raw), tick)
		if kind == END:
			need(not file.read(1), "bytes behind END")
			return "complete"
	return "cut"

def main(paths, worst=0):
	for path in paths:
		trace, state, status = Trace(), "damaged", 0
		try:
			with open(path, "rb") as file:
				state = read(file, trace)
		except (Fault, OSError) as error:
			status, why = error.args if isinstance(error, Fault) else (2, error)
			print(f"{path}: {why}" if status else f"damaged: {path}: {why}", file=sys.stderr)
		if not status:
			totals, rows = trace.figures()
			print(f"state={state}", *(f"{key}={totals[key]}" for key in KEYS), sep="\n")
			for text in () if trace.end.get(EVENTS_STOPPED) else trace.mismatches(totals, rows):
				print(f"mismatch: {path}: {text}", file=sys.stderr)
				status = 1
		worst = max(worst, status)
	return worst

sys.exit(main(sys.argv[1:]))
