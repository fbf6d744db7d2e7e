module lab/pebble

go 1.26.0

require github.com/letsencrypt/pebble/v2 v2.10.1

// src: a copy whose root can be one that is there already
replace github.com/letsencrypt/pebble/v2 => ./src
