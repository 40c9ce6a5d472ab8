package main

import (
	"fmt"
	"net/http"
	"os"
	"syscall"
	"unsafe"
)

// sysIOUringSetup has the same number on every architecture (include/uapi/asm-generic/unistd.h).
const sysIOUringSetup = 425

// ioUring makes a ring and throws it away (io_uring_setup(2)).
func ioUring(w http.ResponseWriter, _ *http.Request) {
	var parameters [120]byte // struct io_uring_params
	fd, _, errno := syscall.Syscall(sysIOUringSetup, 4, uintptr(unsafe.Pointer(&parameters)), 0)
	if errno != 0 {
		http.Error(w, fmt.Sprintf("io_uring_setup: %v", errno), http.StatusInternalServerError)
		return
	}
	os.NewFile(fd, "io_uring").Close()
	fmt.Fprintln(w, "a ring was made")
}
