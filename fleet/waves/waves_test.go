package waves

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		steps      []Step
		n, largest int
		want       []int
	}{
		{[]Step{{Count: 1}, {Percent: 10}}, 25, 2, []int{1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}},
		{[]Step{{Count: 1}, {Factor: 2}}, 100, 100, []int{1, 2, 4, 8, 16, 32, 37}},
		{[]Step{{Count: 1}, {Factor: 3}}, 100, 10, []int{1, 3, 9, 10, 10, 10, 10, 10, 10, 10, 10, 7}},
		{[]Step{{Count: 2}, {Count: 5}, {Percent: 50}}, 20, 20, []int{2, 5, 10, 3}},
		{[]Step{{Percent: 1}}, 3, 1, []int{1, 1, 1}},
		{[]Step{{Count: 9}}, 3, 0, []int{1, 1, 1}},
		{[]Step{{Count: 1}}, 0, 1, nil},
	} {
		if got := Sizes(c.steps, c.n, c.largest); !slices.Equal(got, c.want) {
			t.Errorf("%v of %d, at most %d: %v, not %v", c.steps, c.n, c.largest, got, c.want)
		}
	}
}

func fleet(r *rand.Rand) (nodes []Node) {
	zones, roles := 1+r.IntN(5), 1+r.IntN(3)
	for i := range 1 + r.IntN(300) {
		zone := fmt.Sprintf("zone-%d", r.IntN(zones)*r.IntN(zones)) // not even
		nodes = append(nodes, Node{Name: fmt.Sprintf("n%d", i), Domain: zone, Stratum: fmt.Sprintf("%s role-%d", zone, r.IntN(roles))})
	}
	return nodes
}

// Properties over many fleets: each node once, the same from any order of the same nodes, and every prefix even over the strata.
func TestOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		nodes := fleet(r)
		ordered := Order("r1", nodes, 0, nil)
		r.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		if !reflect.DeepEqual(ordered, Order("r1", nodes, 0, nil)) {
			t.Fatalf("seed %d: the order depends on the order of the input", seed)
		}
		sizes, seen := map[string]int{}, map[string]bool{}
		for _, n := range nodes {
			sizes[n.Stratum]++
		}
		counts := map[string]int{}
		for k, n := range ordered {
			if seen[n.Name] {
				t.Fatalf("seed %d: %s comes twice", seed, n.Name)
			}
			seen[n.Name] = true
			counts[n.Stratum]++
			for stratum, size := range sizes {
				// Each stratum lies at most one node from the common position, which lies at most one node for each stratum from the share of all.
				if share := float64(k+1) * float64(size) / float64(len(nodes)); math.Abs(float64(counts[stratum])-share) > 1+float64(len(sizes)*size)/float64(len(nodes)) {
					t.Fatalf("seed %d: of the first %d nodes %d are of %q, whose share is %.1f", seed, k+1, counts[stratum], stratum, share)
				}
			}
		}
		if len(seen) != len(nodes) {
			t.Fatalf("seed %d: %d of %d nodes", seed, len(seen), len(nodes))
		}
	}
}

func TestOtherRolloutsDrawOthers(t *testing.T) {
	nodes := fleet(rand.New(rand.NewPCG(7, 0)))
	first := map[string]int{}
	for i := range 300 {
		first[Order(fmt.Sprint("rollout-", i), nodes, 0, nil)[0].Name]++
	}
	if len(first) < len(nodes)*9/10 {
		t.Errorf("300 rollouts of %d nodes had only %d canaries", len(nodes), len(first))
	}
}

// Domains in the order that is asked for, behind canaries that are drawn from all.
func TestDomains(t *testing.T) {
	nodes := fleet(rand.New(rand.NewPCG(3, 0)))
	plain := Order("r", nodes, 0, nil)
	ordered := Order("r", nodes, 5, []string{"zone-2", "zone-0"})
	if !reflect.DeepEqual(ordered[:5], plain[:5]) {
		t.Errorf("the canaries changed: %v, not %v", ordered[:5], plain[:5])
	}
	last := 0
	for _, n := range ordered[5:] {
		at := map[string]int{"zone-2": 0, "zone-0": 1}
		here, named := at[n.Domain]
		if !named {
			here = 2
		}
		if here < last {
			t.Fatalf("%s of %s comes too late", n.Name, n.Domain)
		}
		last = here
	}
}

func BenchmarkOrder(b *testing.B) {
	nodes := make([]Node, 100_000)
	for i := range nodes {
		nodes[i] = Node{Name: fmt.Sprintf("node-%06d", i), Domain: fmt.Sprint(i % 30), Stratum: fmt.Sprint(i % 90)}
	}
	for b.Loop() {
		Order("r", nodes, 10, nil)
	}
}
