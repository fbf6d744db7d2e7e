"""Rules as pure functions from objects to values: no dagger, no kubernetes, no clock, no I/O."""
