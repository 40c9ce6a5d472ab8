// Package machine boots a Stele image in QEMU and reads what it says: the product's half of the harness, over internal/vm, which knows no product.
//
// It is used by `stele run`, by the integration tests (test/qemu) and by the benchmark (test/bench), so that all three boot the same way
// and read the same console contract. It decides nothing about a machine's inside: what it knows are the names of the image directory's files,
// the fw_cfg key and the agent's console lines.
//
//	image directory (disk.raw, vmlinuz, manifest.json) + Options -> vm.Options (pure) -> vm.Start
//	console lines -> Report (pure), Serving
package machine
