// Package powercut cuts a real machine's power: QEMU logs every write of a scenario to its disk, the firmware's and the loader's too, and for chosen moments the disk is
// built as it was then, and booted through firmware. Run it with
//
//	make test-powercut N=20 SEED=1 LIVE=0
//	go test -tags qemu ./test/powercut -run TestPowerCuts/rollback -points 20 -seed 7 -v
//
//	-points N   moments of each scenario that are booted; those of a smaller N are among them
//	-seed       chooses the moments
//	-follow N   every so many of them, the machine is updated once more from what booted
//	-orders     ask the model for other orders of the writes between two flushes, parts of writes and torn sectors, too
//	-live N     how often the power of a running machine is cut (TestLive)
//
// Environment: STELE_IMAGE_DIR names the image whose kernel the versions get (default: build/x86_64/demo), STELE_TEST_DIR where disks and console logs lie (build/test),
// STELE_QEMU_ACCEL the accelerator (kvm or tcg).
//
//	scenario (first boot, update, bad update, rollback) ──QEMU blklogwrites──> log (internal/dmlog)
//	  ├── after every operation on ESP and partition table: internal/bootmodel says what boots      all of them, none may boot anything else or fail a try
//	  └── at chosen moments: disk ──OVMF, systemd-boot, kernel, agent──> in service                  it boots what the model says; the ESP is clean, the API content
//
// A scenario is one function that does something to a running machine, and the versions that may boot afterwards, or be in service in the end: a version that was on probation
// when the power went may be tried again or rejected. internal/bootmodel is also the judge of the tests of the update code, for tens of thousands of disks; where it and the
// machine differ, the test fails. On failure the disk stays behind, with the command that boots it.
//
// What an operation belongs to (areas.go) weighs the choice: what decides which version boots is a few writes among thousands.
//
// The log holds the order in which writes reached the disk. Other orders are internal/powercut's part: with -orders here, always for the loader's own writes
// (TestLoaderRenameSurvivesPowerCuts), and for the update code in agent/update/slots.
package powercut
