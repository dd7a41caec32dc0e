# SPDX-License-Identifier: LGPL-2.1-or-later
# Hashes of arrays of strings, built, inverted, sorted and joined: two million allocations.
use strict;
use warnings;

my (%by_key, %by_length);
for my $round (1 .. 4) {
	for my $i (0 .. 60000) {
		my $key = sprintf('key-%d', $i * 7919 % 20011);
		push @{ $by_key{$key} }, "value $i of $round" . 'x' x ($i % 60);
	}
	for my $key (sort keys %by_key) {
		my $text = join ',', map { uc } @{ $by_key{$key} };
		$by_length{ length($text) % 1009 }{$key} = substr($text, 0, 40);
	}
	delete @by_key{ grep { /7$/ } keys %by_key };
}
print scalar(keys %by_key), ' ', scalar(keys %by_length), "\n";
