// Package faults holds bad updates, each with what the machine must say about it, and runs them on a real machine: the tests of test/qemu hold the machine to
// them, and the benchmark measures them. It judges no times.
//
//	Lab      a site, and versions of the demo image, built once
//	Machine  QEMU with the good version, its container serving, its API called
//	Row      one bad update: stage, inflict, wait until the good version serves again, look at what is said
//
// Rows of one machine come one after another, as they would in a machine's life: each begins and ends with the good version in service, and overwrites
// the other slot. "Back in service" is the moment at which the API names the good version in a later boot and the demo container answers, seen from outside.
package faults
