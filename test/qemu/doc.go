// Package qemu holds the tests that boot a built image in QEMU. Run them with `make test`, or one of them with
//
//	go test -tags qemu ./test/qemu -run '^TestBootsThroughFirmware$' -v
//
// STELE_IMAGE_DIR names the image (default: build/x86_64/demo), whose architecture is the machine's, STELE_QEMU_ACCEL the acceleration, STELE_SOAK the number of boots of the soak test.
//
// A test is one literal (machine.Options) and expectations. Each runs one machine at a time, on a copy of the disk, with a network that ends at
// the host's loopback. Kernel trouble, an oops, a Go panic or a verity error on the console fails any test that does not ask for it. A failed
// test leaves its directory behind (build/test/<name>: console.log, disk0.raw) and prints the command that runs it again. No test is repeated until it passes.
//
// The build tag keeps them out of `go test ./...`: they need QEMU and an image, and take minutes.
package qemu
