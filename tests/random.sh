# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
# For cli/random.sh and soak/random.sh: victims/random_program with a seed, recorded; every
# figure of every process image must be that of its own model.

random_programs=0
random_images=0
random_figures=0

random_actual() { # TRACE
	figures "$1" >totals || fail "no figures of $1: $(cat totals)"
	# how many came late over which processor is no figure of the program
	grep -v '^late_events=' totals | tr '=' '\t'
	"$BUILD/tests/figures" "$1" shares
}

# What an image that does nothing has, the C++ runtime's, comes on top of the model's; not in
# children that were forked.
random_prepare() {
	record -o runtime.mlg "$VICTIMS/random_program" 0 turns
	equal 'status of seed 0' $status 0
	random_actual runtime.mlg >runtime
}

# Prints how many figures are equal, or those that are not. Where threads run freely peaks and
# temporary allocations have bounds at most: lines "least FIGURE" and "most FIGURE".
random_compare() { # TURNS-OR-FREE MODEL ACTUAL
	awk -F '\t' -v free="$([ "$1" = free ] && echo 1)" '
	function judge(key, ok) {
		if (!ok)
			print key ": " actual[key] + 0 ", expected " model[key] + 0
		equal += ok
		wrong += !ok
	}
	function unknown(key) {
		return free && key ~ /(temporary|peak_bytes|peak_blocks)$/
	}
	FILENAME == "runtime" { runtime[$1] += $2; next }
	FILENAME == ARGV[2] { model[$1] += $2; next }
	{ actual[$1] += $2 }
	END {
		if (model["runtime"] == 1)
			for (key in runtime)
				if (!unknown(key))
					model[key] += runtime[key]
				else if ("least " key in model || "most " key in model)
					runtime_too[key] = 1
		for (key in runtime_too) {
			model["least " key] += runtime[key]
			model["most " key] += runtime[key]
		}
		delete model["runtime"]
		for (key in actual)
			if (!(key in model) && actual[key] != 0 && !unknown(key))
				judge(key, 0)
		for (key in model) {
			name = key
			if (sub(/^least /, "", name))
				judge(key, actual[name] >= model[key])
			else if (sub(/^most /, "", name))
				judge(key, actual[name] <= model[key])
			else
				judge(key, actual[key] == model[key])
		}
		if (!wrong)
			print equal + 0
		exit wrong != 0
	}' runtime "$2" "$3"
}

random_run() { # SEED TURNS-OR-FREE
	local trace model how="random_program $1 $2"
	rm -f model.* t.*.mlg
	record -o t.%p.mlg "$VICTIMS/random_program" "$1" "$2" >said
	equal "status of $how" "status $status" "$(cat said)"
	[ ! -s record.err ] || fail "$how: $(cat record.err)"
	for model in model.*; do
		trace=t${model#model}.mlg
		# the second reader takes its time
		if [ $(($1 % 10)) = 0 ]; then whole "$trace"; else read_through "$trace"; fi
		random_actual "$trace" >actual
		random_compare "$2" "$model" actual >compared || {
			sort compared | head -n 30
			fail "$how: $trace is not what $model says"
		}
		random_images=$((random_images + 1))
		random_figures=$((random_figures + $(cat compared)))
	done
	random_programs=$((random_programs + 1))
	equal "traces of $how" "$(ls t.*.mlg | wc -l)" "$(ls model.* | wc -l)"
}
