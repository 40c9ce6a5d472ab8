package containerd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/stele-os/stele/api/v1alpha1"
)

// roleVariable tells a re-executed agent binary what it is. argv[0] alone does not do: the shim starts itself again
// by os.Executable, which resolves the link that carries its name.
const roleVariable = "STELE_ROLE"

const (
	roleDaemon = "containerd"
	roleShim   = "shim"
)

// Dispatch runs this process as containerd or as its shim when it was started as one of them, and tells whether it did: main then returns.
// It must be the first call of main.
func Dispatch() bool {
	switch role(os.Args[0], os.Getenv(roleVariable)) {
	case roleShim:
		// Inherited by the copy of itself that the shim leaves behind as server.
		_ = os.Setenv(roleVariable, roleShim)
		runtime.GOMAXPROCS(1)
		runShim(context.Background())
	case roleDaemon:
		// Not for the shims: they are recognised by their name.
		_ = os.Unsetenv(roleVariable)
		if err := runDaemon(context.Background(), configFromEnvironment()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitCode(err))
		}
	default:
		return false
	}
	return true
}

// role is the pure half of Dispatch. The name wins: a shim inherits containerd's environment.
func role(arg0, variable string) string {
	if filepath.Base(arg0) == filepath.Base(v1alpha1.ShimPath) {
		return roleShim
	}
	if variable == roleShim || variable == roleDaemon {
		return variable
	}
	return ""
}
