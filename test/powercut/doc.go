// Package powercut cuts a real machine's power: QEMU logs every write of a scenario to its disk, the firmware's and the loader's too, and for chosen moments the disk is
// built as it was then, and booted through firmware. Run it with
//
//	make test-powercut N=20        or    go test -tags qemu ./test/powercut -run TestPowerCuts/first_boot -points 20 -seed 7 -v
//
// STELE_IMAGE_DIR names the image (default: build/x86_64/demo).
//
// A scenario is one function that does something to a running machine, and the versions that may boot afterwards. For each moment two judges are asked: internal/bootmodel, which
// the tests of the update code ask for tens of thousands of disks, and the machine itself. Where they differ, the model is wrong and the test fails. On failure the disk stays behind, with
// the command that boots it.
//
// The log holds the order in which writes reached the disk. Other orders are internal/powercut's part.
package powercut
