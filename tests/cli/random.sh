# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# Random programs with a model of themselves: every figure of every process is the model's;
# soak/random has a thousand.
. "$TESTS/lib.sh"
. "$TESTS/random.sh"

random_prepare
for seed in $(seq 20); do
	random_run "$seed" turns
	[ $((seed % 5)) != 0 ] || random_run "$seed" free
done
equal 'programs' $random_programs 24
echo "$random_images process images, $random_figures figures"
