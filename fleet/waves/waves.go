// Package waves says which nodes of a rollout come in which wave. It is a pure function of names and labels: who asks twice gets the same answer.
package waves

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Step says how large a wave is. Exactly one field is more than 0.
type Step struct {
	// Count of nodes.
	Count int
	// Percent of all nodes of the rollout, rounded down, at least one node.
	Percent int
	// Factor by which a wave is larger than the one before.
	Factor int
}

// Sizes divides n nodes into waves: one for each step, the last step again and again until all nodes have their wave. No wave has more than
// largest nodes; largest is at least 1. The sum of the result is n.
func Sizes(steps []Step, n, largest int) []int {
	var sizes []int
	before := 0
	for i := 0; n > 0; i++ {
		step := steps[min(i, len(steps)-1)]
		size := step.Count
		switch {
		case step.Percent > 0:
			size = total(sizes, n) * step.Percent / 100
		case step.Factor > 0:
			size = before * step.Factor
		}
		size = min(max(size, 1), max(largest, 1), n)
		sizes = append(sizes, size)
		before, n = size, n-size
	}
	return sizes
}

// total is how many nodes there were before the waves that are made already.
func total(sizes []int, left int) int {
	for _, size := range sizes {
		left += size
	}
	return left
}

// Node is what the order depends on.
type Node struct {
	Name string
	// Stratum is what a sample should be even over, such as zone, type and role in one text.
	Stratum string
	// Domain fails as one, such as a zone.
	Domain string
}

// Order is the order in which nodes come. It begins like a sample that is drawn from each stratum in proportion to its size: every prefix has of each stratum
// its share, give or take one. The salt, such as the rollout's name, draws other nodes each time. Behind the first keep nodes, those of the
// domains that are named come first, domain by domain as named, each in the order of the sample.
func Order(salt string, nodes []Node, keep int, domains []string) []Node {
	sampled := sample(salt, nodes)
	if len(domains) == 0 || keep >= len(sampled) {
		return sampled
	}
	slices.SortStableFunc(sampled[keep:], func(a, b Node) int { return cmp.Compare(rank(domains, a.Domain), rank(domains, b.Domain)) })
	return sampled
}

func rank(domains []string, domain string) int {
	if i := slices.Index(domains, domain); i >= 0 {
		return i
	}
	return len(domains)
}

// sample is systematic sampling: the k-th of a stratum's m nodes, which are shuffled, stands at (k + offset) / m, and all are sorted by where they stand.
func sample(salt string, nodes []Node) []Node {
	type placed struct {
		Node
		hash uint64
		at   float64
	}
	strata := map[string][]*placed{}
	all := make([]placed, len(nodes))
	for i, n := range nodes {
		all[i] = placed{Node: n, hash: hash(salt, "node", n.Name)}
		strata[n.Stratum] = append(strata[n.Stratum], &all[i])
	}
	for name, members := range strata {
		slices.SortFunc(members, func(a, b *placed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.Name, b.Name)) })
		offset := float64(hash(salt, "stratum", name)>>11) / (1 << 53)
		for k, m := range members {
			m.at = (float64(k) + offset) / float64(len(members))
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.hash, b.hash), cmp.Compare(a.Name, b.Name))
	})
	ordered := make([]Node, len(all))
	for i, p := range all {
		ordered[i] = p.Node
	}
	return ordered
}

// hash is the first eight bytes of SHA-256 over the texts, each with its length before it.
func hash(texts ...string) uint64 {
	var b []byte
	for _, text := range texts {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}
