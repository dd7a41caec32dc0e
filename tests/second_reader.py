# SPDX-License-Identifier: LGPL-2.1-or-later
"""A second reader of traces, from docs/mallograph-trace.5 alone. It rebuilds the figures from the EVENTS and compares
them with the counters of the same file. Exit status: 0 fine, cut, damaged; 1 mismatch; 2 not a trace; 3 newer."""
import collections, functools, itertools, operator, re, struct, subprocess, sys, zlib

META, MODULES, NODES, CLASSES, THREADS, EVENTS, TIMELINE, STRINGS, SYMBOLS, OF_CLASS, OF_THREAD, END = range(1, 13)
ALLOCATION, DEALLOCATION, THREAD, TICKS, UNKNOWN_FREE, INHERITED_FREE, TEMPORARY, RECENT = range(8)
REALLOC, OTHER_THREAD, STEP, NEXT, GUESSED = 8, 16, 16, 32, 256
U32, COUNT, U64, MAX_BLOCK = (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1, 1 << 24
CUT, INCOMPLETE, EVENTS_STOPPED = 2, 4, 46
NUMBER_TAGS = {META: (4, 5, 6, 7, 9, 11), END: (*range(1, 15), *range(32, 47))}
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
	def numbers(self, length=None, group=1):
		data = self.bytes(len(self) if length is None else length)
		need(not data or data[-1] < 128, "a number that does not end")
		values = list(data) if data.isascii() else list(map(decode, VARINT.findall(data)))
		need(len(values) % group == 0, "a thing that is not whole")
		return values

class Trace:
	def __init__(self):
		self.defined, self.point = [0] * 13, 0  # by type of block
		self.named, self.values, self.end, self.rows = set(), {}, {EVENTS_STOPPED: 1}, {OF_CLASS: [], OF_THREAD: []}
		# By class id, from 1. peak[c] is the share in the last peak if noted[c] == peaks; else it is live[c].
		self.size, self.temporary, self.live, self.noted, self.peak = ([0] for _ in range(5))
		# By thread id, from 1. made: the class of each allocation; born: its tick, None once it is deallocated.
		self.made, self.born, self.frees, self.shortlived = [[]], [[]], [0], [0]
		self.tick = self.peaks = self.peak_bytes = self.peak_blocks = self.peak_tick = self.bytes = 0
		self.count, self.strays, self.drifts = [0] * 32, 0, 0  # count: of each byte of column 0

	def block(self, kind, payload, first_tick, flags):
		events = self.guessed if flags & GUESSED else self.events
		fields, read = Fields(payload), {NODES: self.nodes, CLASSES: self.classes, EVENTS: events}.get(kind)
		self.values = {}
		if read:
			read(fields, first_tick)
		elif kind in self.rows:
			need(fields.number() == len(self.rows[kind]) + 1, "counters that do not go on where they ended")
		elif kind == TIMELINE and fields:
			need(self.point + Fields(Fields(payload).bytes()).number() == first_tick, "not the tick of the header")
		while fields:
			tag = fields.number(U32) if kind in NUMBER_TAGS else 0
			self.record(kind, tag, Fields(fields.bytes()))
		self.end = self.values if kind == END else self.end

	def record(self, kind, tag, record):
		self.defined[kind] += 1
		if tag in NUMBER_TAGS.get(kind, ()):
			self.values[tag] = record.number()
			need(not record, "a field with more than its number")
		elif kind == MODULES:
			need(record.number() <= record.number(), "a module that ends before it starts")
			record.number(), record.bytes(), record.bytes()
		elif kind == THREADS:
			number, _, _ = record.number(len(self.made), 1), record.number(), record.bytes()
			if number == len(self.made):
				self.made.append([]), self.born.append([]), self.frees.append(0), self.shortlived.append(0)
		elif kind == TIMELINE:
			self.point += [record.number(COUNT) for _ in range(4)][0]
			need(self.point <= COUNT, "a tick over the limit")
		elif kind == SYMBOLS:
			self.named.add((record.number(self.defined[MODULES]), record.number()))
			need(len(self.named) == self.defined[SYMBOLS], "two records of symbols of an address")
			for _ in range(record.number()):
				record.number(self.defined[STRINGS]), record.number(self.defined[STRINGS]), record.number(U32)
		elif kind in self.rows:
			row, defined = tuple(record.number(COUNT) for _ in range(4)), self.made if kind == OF_THREAD else self.live
			need(kind == OF_THREAD or row[2] <= row[1] <= row[0] >= row[3], "counters that cannot be")
			self.rows[kind].append(row)
			need(len(self.rows[kind]) < len(defined), "counters of what is not defined")

	def nodes(self, fields, _):
		for up, module, offset, flags in zip(*[iter(fields.numbers(group=4))] * 4):
			own = self.defined[NODES] = self.defined[NODES] + 1
			need(1 <= up <= own and module <= self.defined[MODULES], "a node with no such parent or module")
			need(flags <= U32 and (not flags & CUT or up == own), "a node with wrong flags")
			need(not flags & (CUT | INCOMPLETE) or module == offset == 0, "a node that must not have an address")

	def classes(self, fields, _):
		for node, size, function in zip(*[iter(fields.numbers(group=3))] * 3):
			need(node <= self.defined[NODES] and size <= COUNT and function < 64, "a class with a wrong number")
			for column, start in (self.size, size), (self.temporary, 0), (self.live, 0), (self.noted, 0), (self.peak, 0):
				column.append(start)

	def guessed(self, fields, first_tick):
		left, thread, tick = fields.number(1 << 20), fields.number(len(self.made) - 1, 1), fields.number(COUNT)
		need(self.tick <= tick == first_tick, "events with a wrong tick at the start")
		lengths = [fields.number() for _ in range(fields.number())]
		need(len(lengths) >= 9 and sum(lengths) == len(fields), "columns that do not add up")
		columns = [Fields(fields.bytes(length)) for length in lengths][:9]
		operations, runs, classes, threads, ticks, ages, steps, low, large = columns
		plain, plain_classes, plain_threads, plain_ticks, plain_ages = bytearray(), [], [], [], []
		table, context, place, born, recent = {}, 0, 0, tick, 0
		start, at, blocks, made = thread, tick, [None], collections.Counter()  # blocks: of each allocation, from 1

		def number(column):
			need(column, "a column that ends too early")
			if (byte := column.bytes(1)[0]) < 192:
				return byte
			if byte < 255:
				need(low, "column 7 ends too early")
				return 192 + 256 * (byte - 192) + low.bytes(1)[0]
			return 192 + large.number(U64 - 192, 63 * 256)
		def signed(column):
			return (value := number(column)) >> 1 ^ -(value & 1)

		while True:
			run = runs.number(left)
			for guess in range(run + 1):
				if guess == run and not operations:
					break
				left, slot = left - 1, (context * 0x9E3779B97F4A7C15 & U64) >> 48
				if guess < run:
					need(symbol := table.get(slot), "a guess of nothing")
					operation, value = symbol & 63, symbol >> 6
				else:
					operation, value = operations.bytes(1)[0], 0
					if operation == TICKS:
						plain.append(operation), plain_ticks.append(passed := number(ticks))
						at += passed
						continue
					kind = operation & 7
					if kind not in (UNKNOWN_FREE, INHERITED_FREE):
						value = number({THREAD: threads, RECENT: steps if operation & STEP else ages}.get(kind, classes))
					symbol = operation | value << 6 & U32
					if value < 1 << 26:
						table[slot] = symbol
				context = (context << 16 | (symbol * 0x9E3779B1 & U32) >> 16) & U64
				kind, realloc = operation & 7, operation & REALLOC
				if kind in (ALLOCATION, TEMPORARY):
					need(not operation & ~15, "an unknown operation or flag")
					made[thread] += 1
					blocks.append(None if kind == TEMPORARY else (value, thread, at, made[thread]))
					plain.append(ALLOCATION | realloc), plain_classes.append(value)
					if kind == TEMPORARY:
						plain.append(DEALLOCATION), plain_classes.append(value), plain_ticks.append(0), plain_ages.append(0)
				elif kind == RECENT:
					need(operation < 32, "an unknown operation or flag")
					recent = recent + (value >> 1 ^ -(value & 1)) if operation & STEP else len(blocks) - 1 - value
					need(0 < recent < len(blocks) and blocks[recent], "a deallocation of nothing")
					(value, owner, then, before), blocks[recent] = blocks[recent], None
					plain_classes.append(value), plain_ticks.append(at - then), plain_ages.append(made[owner] - before)
					plain.append(DEALLOCATION | realloc | (OTHER_THREAD if owner != thread else 0))
					plain_threads += [owner] if owner != thread else []
				elif kind == DEALLOCATION:
					plain.append(DEALLOCATION | operation & (REALLOC | OTHER_THREAD)), plain_classes.append(value)
					plain_threads += [number(threads)] if operation & OTHER_THREAD else []
					born, place = (born, place + 1) if operation & NEXT else (born + signed(ticks), place + signed(ages))
					need(0 <= born <= at, "a block older than the recording, or born later")
					plain_ticks.append(at - born), plain_ages.append(len(blocks) - 1 - place)
				else:
					plain.append(operation)
					if kind == THREAD:
						need(0 < value < len(self.made), "events of what is not defined")
						plain_threads.append(thread := value)
			else:
				continue
			break
		need(not left and not any(columns), "operations or columns left over")
		self.check_and_happen(bytes(plain), start, tick, [plain_classes, plain_threads, plain_ticks, plain_ages])

	def events(self, fields, first_tick):
		length, thread, tick = fields.number(), fields.number(len(self.made) - 1, 1), fields.number(COUNT)
		need(self.tick <= tick == first_tick, "events with a wrong tick at the start")
		lengths = [fields.number() for _ in range(fields.number())]
		need(len(lengths) >= 5 and sum(lengths) == len(fields) and lengths[0] == length, "columns that do not add up")
		operations = fields.bytes(length)
		columns = [fields.numbers(length) for length in lengths[1:5]]
		fields.bytes(len(fields))
		self.check_and_happen(operations, thread, tick, columns)

	def check_and_happen(self, operations, thread, tick, columns):
		need(not operations.translate(None, bytes((0, 1, 2, 3, 4, 5, 8, 9, 17, 25))), "an unknown operation or flag")
		n = [operations.count(operation) for operation in range(32)]
		frees, others = n[1] + n[9] + n[17] + n[25], n[17] + n[25]
		need([*map(len, columns)] == [n[0] + n[8] + frees, n[THREAD] + others, n[TICKS] + frees, frees], "columns left over")
		for ids, defined in (columns[0], self.live), (columns[1], self.made):
			need(not ids or 0 < min(ids) <= max(ids) < len(defined), "events of what is not defined")
		self.happen(operations, thread, tick, *(iter(column).__next__ for column in columns))

	def happen(self, operations, thread, tick, next_class, next_thread, next_tick, next_age):
		size, live, noted, peak, peaks, count = self.size, self.live, self.noted, self.peak, self.peaks, self.count
		made, born, peak_bytes = self.made, self.born, self.peak_bytes
		blocks, live_bytes = sum(live), sum(map(operator.mul, size, live))
		for operation in operations:
			kind = operation & 7
			if kind <= DEALLOCATION:
				c = next_class()
				if noted[c] != peaks:
					noted[c], peak[c] = peaks, live[c]
			if kind == ALLOCATION:
				live[c] += 1
				blocks += 1
				live_bytes += size[c]
				self.bytes += size[c]
				made[thread].append(c)
				born[thread].append(tick)
				if live_bytes > peak_bytes:
					peak_bytes, peaks = live_bytes, peaks + 1
					self.peak_bytes, self.peaks, self.peak_blocks, self.peak_tick = peak_bytes, peaks, blocks, tick
			elif kind == DEALLOCATION:
				age, later, owner = next_tick(), next_age(), next_thread() if operation & OTHER_THREAD else thread
				need(live[c] and age <= tick, "a deallocation of nothing, or of a block older than the recording")
				live[c] -= 1
				blocks -= 1
				live_bytes -= size[c]
				self.frees[owner] += 1
				self.temporary[c] += later == 0
				self.shortlived[owner] += later == 0
				i = len(made[owner]) - 1 - later
				if i < 0 or made[owner][i] != c or born[owner][i] is None:
					self.strays += 1
				else:
					self.drifts += born[owner][i] != tick - age
					born[owner][i] = None
			elif kind == THREAD:
				thread = next_thread()
			elif kind == TICKS:
				before, tick = tick, tick + next_tick()
				need(before < tick <= COUNT, "0 ticks, or a tick over the limit")
			count[operation] += 1
		self.tick = tick
		need(self.bytes <= COUNT, "a sum of sizes over the limit")

	def figures(self):
		n, size, live, made = self.count, self.size, self.live, collections.Counter(itertools.chain(*self.made))
		peak = [peak if noted == self.peaks else live for peak, noted, live in zip(self.peak, self.noted, live)]
		classes = [(made[c], made[c] - live[c], self.temporary[c], peak[c]) for c in range(1, len(size))]
		threads = [(len(made), frees, temporary, sum(map(size.__getitem__, made)))
			for made, frees, temporary in zip(self.made, self.frees, self.shortlived)][1:]
		totals = dict(zip(KEYS, (n[0] + n[REALLOC], sum(self.frees), n[REALLOC], sum(self.temporary),
			self.bytes, self.peak_bytes, self.peak_blocks, self.peak_tick, sum(live), sum(map(operator.mul, live, size)),
			n[UNKNOWN_FREE], n[INHERITED_FREE], len(classes), len(threads), sum(n) - n[THREAD] - n[TICKS])))
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
			yield f"{self.strays} deallocations whose age in allocations leads to no live allocation of the class"

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
	need(len(header) < 16 or major == 1 and not reserved, f"major version {major}", 3 if major else 2)
	while len(header := file.read(32)) == 32:
		magic, kind, codec, flags, stored, raw, tick, payload_crc, crc = struct.unpack("<4sBBHIIQII", header)
		need(magic == b"Mblk" and crc == zlib.crc32(header[:28]), "the header of a block")
		need(flags & ~(GUESSED if kind == EVENTS else 0) < 256, f"flags {flags:#x}: written by a newer version", 3)
		need(stored <= MAX_BLOCK and raw <= MAX_BLOCK, "a block over 16 MiB")
		if len(payload := file.read(stored)) < stored:
			break
		if META <= kind <= END:
			need(payload_crc == zlib.crc32(payload), "the CRC of a payload")
			trace.block(kind, decompress(codec, payload, raw), tick, flags)
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
			drifts = [f"{trace.drifts} ages in ticks are not the ticks between"] if trace.drifts else []
			for text in () if trace.end.get(EVENTS_STOPPED) else [*trace.mismatches(totals, rows), *drifts]:
				print(f"mismatch: {path}: {text}", file=sys.stderr)
				status = 1
		worst = max(worst, status)
	return worst

sys.exit(main(sys.argv[1:]))
