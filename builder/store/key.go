package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// Key is a hash over named inputs. Order matters; every part carries its length, so that no two lists of inputs coincide.
type Key struct {
	name string
	hash hash.Hash
}

// NewKey begins the key of one kind of artifact. The name becomes part of a directory's name.
func NewKey(name string) *Key {
	k := &Key{name: name, hash: sha256.New()}
	return k.Add("artifact", name)
}

// Add mixes one input into the key.
func (k *Key) Add(label, value string) *Key {
	fmt.Fprintf(k.hash, "%d:%s=%d:%s\n", len(label), label, len(value), value)
	return k
}

// Name returns the kind of artifact.
func (k *Key) Name() string { return k.name }

// Sum returns the key in hexadecimal. More inputs may follow.
func (k *Key) Sum() string { return hex.EncodeToString(k.hash.Sum(nil)) }

// id names the artifact's directory: 128 bits are plenty against accidents, and short enough to read.
func (k *Key) id() string { return k.name + "-" + k.Sum()[:32] }
