// Package build holds the tests that build whole images, and judge them with foreign tools. Run them with `make test`, or with
//
//	go test -tags qemu ./test/build
//
// They take compiled parts that the build cache ($STELE_CACHE, ~/.cache/stele) holds, above all the kernel, and fetch nothing else.
// The build tag keeps them out of `go test ./...`: they take minutes and need compilers.
package build
