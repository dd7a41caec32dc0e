# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 3000
# 1,000 random programs in turns and 500 of them free: every figure of every process is that of its
# model. FIRST=SEED and SEEDS=NUMBER for others.
. "$TESTS/lib.sh"
. "$TESTS/random.sh"

first=${FIRST:-$(($(date +%s) * 1000))}
count=${SEEDS:-1000}
echo "FIRST=$first"
random_prepare
for ((seed = first; seed < first + count; seed++)); do
	random_run "$seed" turns
	[ $((seed % 2)) != 0 ] || random_run "$seed" free
	[ $(((seed - first) % 100)) != 99 ] || echo "$((seed - first + 1)) seeds, $SECONDS s"
done
[ $random_programs -ge "$count" ] || fail "$random_programs programs"
echo "$count seeds, $random_programs programs, $random_images process images, $random_figures figures, $SECONDS s"
