package gates

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stele-os/stele/agent/state"
)

// settled: a document is in force, and nothing of the agent failed. The last good document counts: a machine whose source is only there at its
// first boot (a seed disk that was taken away) could never be updated otherwise, and what depends on the document has gates of its own.
func settled(in Input) (condition, reason string) {
	if len(in.Failures) > 0 {
		return Waiting, strings.Join(in.Failures, "; ")
	}
	switch in.Document.Phase {
	case state.DocumentApplied:
		return Held, first(in.Document.Errors) // in force, but it could not be kept: a full /var is not the version's fault
	case state.DocumentLastGood:
		return Held, "the last good document is in force"
	case state.DocumentMissing:
		return Waiting, "no document: " + cmp.Or(first(in.Document.Errors), "no source has one")
	case state.DocumentInvalid:
		return Waiting, "the document is invalid: " + cmp.Or(first(in.Document.Errors), "it has errors")
	}
	return Waiting, "no source of the document has answered yet"
}

func network(n state.Network) (condition, reason string) {
	if n.Online {
		return Held, ""
	}
	return Waiting, "the network is not up: " + cmp.Or(first(n.Errors), "no address yet")
}

// storage fails for good where /var could not be mounted: it is tried once in a boot.
func storage(in Input) (condition, reason string) {
	switch {
	case in.Storage == nil:
		return Waiting, "/var is not mounted yet"
	case in.HasDisk && in.Storage.VarDevice == "":
		return Failed, "/var is not on the disk: " + cmp.Or(in.Storage.Error, "it is in memory")
	case !in.HasDisk && in.Storage.VarDevice == "":
		return Held, "/var is in memory: the machine has no disk"
	}
	return Held, ""
}

func runtime(r state.Runtime) (condition, reason string) {
	if r.Running {
		return Held, ""
	}
	return Waiting, "containerd does not run" + because(r.Error)
}

// api: the port is bound, and a TLS handshake with it worked.
func api(in Input) (condition, reason string) {
	switch {
	case in.API.Port != in.Desired.API.Port:
		return Waiting, "the API does not serve: " + cmp.Or(in.API.Error, fmt.Sprintf("port %d is not bound yet", in.Desired.API.Port))
	case in.Serving == nil:
		return Waiting, "the API was not asked yet"
	case in.Serving.Err != nil:
		return Waiting, "the API does not serve" + because(in.Serving.Err.Error())
	}
	return Held, ""
}

func checked(answers map[string]Answer, name string) (condition, reason string) {
	answer, asked := answers[name]
	switch {
	case !asked:
		return Waiting, fmt.Sprintf("check %s was not asked yet", name)
	case answer.Err != nil:
		return Waiting, fmt.Sprintf("check %s failed: %v", name, answer.Err)
	}
	return Held, ""
}

func confirmation(by string) (condition, reason string) {
	if by == "" {
		return Waiting, "nobody has confirmed the version yet"
	}
	return Held, "confirmed by " + by
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
