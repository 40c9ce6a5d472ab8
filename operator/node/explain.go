package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/operator/show"
)

// Explain puts an error of a call into words: which node, what is wrong, what to do next. nil stays nil, and so does what has a next step already.
func Explain(name string, err error) error {
	if err == nil {
		return nil
	}
	var mismatch *MismatchError
	if errors.As(err, &mismatch) {
		return mismatch
	}
	var back *RolledBackError
	var hinted *hint.Error
	if errors.As(err, &back) || errors.As(err, &hinted) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("node %q: interrupted", name)
	}
	var call *connect.Error
	if !errors.As(err, &call) {
		return fmt.Errorf("node %q: %w", name, err)
	}
	said := fmt.Errorf("node %q: %s", name, show.CleanLines(call.Message()))
	if !connect.IsWireError(err) {
		return hint.New(fmt.Errorf("cannot call node %q: %s", name, strings.TrimPrefix(call.Message(), "unavailable: ")), reach(name, call))
	}
	for _, r := range refusals {
		if strings.Contains(call.Message(), r.text) {
			return hint.New(said, r.next)
		}
	}
	switch call.Code() {
	case connect.CodePermissionDenied:
		return hint.New(said, "use an identity with a higher role: stele pki issue --role ...")
	case connect.CodeUnauthenticated:
		return hint.New(said, "use an identity of a CA that the machine's document names in spec.api.clientCAs")
	case connect.CodeUnimplemented:
		return hint.New(said, "the machine runs another version of Stele than this command")
	}
	return said
}

// alerts are TLS alerts (RFC 8446 §6.2) that a machine ends a handshake with, as Go words them, and what they mean here.
var alerts = []struct{ text, next string }{
	{"unknown certificate authority", "the machine's document does not name the CA of this identity in spec.api.clientCAs"},
	{"certificate required", "the machine's document does not name the CA of this identity in spec.api.clientCAs"},
	{"expired certificate", "issue a new client certificate: stele pki issue; if it is new, the machine's clock may be wrong"},
	{"bad certificate", "the machine refused the client certificate: is it one of a CA in spec.api.clientCAs, and for client authentication?"},
	{"connection refused", "nothing listens there: does the machine's document name spec.api.clientCAs?"},
	{"i/o timeout", "is the machine up, and is the port forwarded or open?"},
	{"no route to host", "is the machine up?"},
	{"no such host", "correct the address: stele node trust"},
	{"server gave HTTP response to HTTPS client", "something else than a machine's API listens there: correct the address"},
	{"first record does not look like a TLS handshake", "something else than a machine's API listens there: correct the address"},
	{"connection reset by peer", "the machine is going down, or the port is forwarded to one that is not up yet: try again in a moment"},
	{"EOF", "the machine is going down, or the port is forwarded to one that is not up yet: try again in a moment"},
	{"certificate signed by unknown authority", "trust the machine by its key instead: stele node trust"},
}

// refusals are answers of machines behind which a person asks what now.
var refusals = []struct{ text, next string }{
	{"not enough signatures", "these keys are not the ones of the machine's image: a machine follows the repository whose root its image was built with (update.root), and no other"},
	{"this machine has rejected it", "to take it once more, name it with --version"},
	{"has not proven itself yet", "stele node status shows which gates it waits for"},
	{"none is on trial", "go back to the platform's document with: stele node config revert --to-metadata"},
}

func reach(name string, err error) string {
	for _, a := range alerts {
		if strings.Contains(err.Error(), a.text) {
			return a.next
		}
	}
	return "look at the machine's console; stele context list shows the address of node " + name
}
