package repository

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/hint"
)

// needed returns as many of a role's keys as its threshold asks for, or says which are missing. It is called before anything is written.
func (k *Keyring) needed(root *metadata.Metadata[metadata.RootType], role string) ([]string, error) {
	r := root.Signed.Roles[role]
	found := k.has(r.KeyIDs)
	if len(found) >= r.Threshold {
		return found[:r.Threshold], nil
	}
	var missing []string
	for _, id := range r.KeyIDs {
		if !slices.Contains(found, id) {
			missing = append(missing, short(id))
		}
	}
	err := fmt.Errorf("cannot sign %s: it needs %d of its keys, and %d are given (not %s)", role, r.Threshold, len(found), strings.Join(missing, ", "))
	return nil, hint.New(err, "name every place that holds one with --keys; the beginning of its ID stands in the name of a key file")
}

// needs fails where a role's keys are not there.
func (k *Keyring) needs(root *metadata.Metadata[metadata.RootType], roles ...string) error {
	for _, role := range roles {
		if _, err := k.needed(root, role); err != nil {
			return err
		}
	}
	return nil
}

// sign puts signatures by these keys in place of all others.
func sign[T metadata.Roles](ctx context.Context, k *Keyring, m *metadata.Metadata[T], ids ...string) error {
	payload, err := cjson.EncodeCanonical(m.Signed)
	if err != nil {
		return fmt.Errorf("cannot encode metadata: %w", err)
	}
	m.Signatures = nil
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		s := k.signers[id]
		signature, err := s.sign(ctx, payload)
		if err != nil {
			return err
		}
		if err := verify(s, payload, signature); err != nil {
			return fmt.Errorf("cannot use signature of %s: %w", s, err)
		}
		m.Signatures = append(m.Signatures, metadata.Signature{KeyID: id, Signature: signature})
	}
	return nil
}

// encode is the form of metadata files. It is read back before it is written: what a client would refuse never leaves.
func encode[T metadata.Roles](m *metadata.Metadata[T]) ([]byte, error) {
	text, err := m.ToBytes(true)
	if err != nil {
		return nil, fmt.Errorf("cannot encode metadata: %w", err)
	}
	if _, err := new(metadata.Metadata[T]).FromBytes(text); err != nil {
		return nil, fmt.Errorf("cannot read back metadata: %w", err)
	}
	return append(text, '\n'), nil
}

func short(id string) string { return id[:min(8, len(id))] }
