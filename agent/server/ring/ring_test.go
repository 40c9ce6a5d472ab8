package ring

import (
	"context"
	"testing"
)

func add(r *Ring[int], n int) {
	r.Add(func(sequence uint64) (int, int) { return int(sequence), n })
}

func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		name                  string
		items, bytes, add, of int
		wantFirst, wantLost   uint64
		wantHeld              int
	}{
		{"room for all", 10, 100, 5, 1, 1, 0, 5},
		{"too many", 10, 100, 15, 1, 6, 5, 10},
		{"too large", 10, 20, 15, 5, 12, 11, 4},
		{"one that is larger than all", 10, 20, 1, 50, 1, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := New[int](tt.items, tt.bytes)
			for range tt.add {
				add(r, tt.of)
			}
			item, next, lost, ok, _ := r.Read(1)
			if !ok || uint64(item) != tt.wantFirst || next != tt.wantFirst+1 || lost != tt.wantLost || len(r.items) != tt.wantHeld {
				t.Errorf("item %d, next %d, lost %d, %d held", item, next, lost, len(r.items))
			}
		})
	}
}

func TestSlowReaderLosesAndIsTold(t *testing.T) {
	r := New[int](4, 1000)
	cursor := r.Last(0)
	for range 10 {
		add(r, 1)
	}
	item, cursor, lost, err := r.Next(context.Background(), cursor)
	if item != 7 || lost != 6 || err != nil {
		t.Errorf("item %d, lost %d, %v", item, lost, err)
	}
	if item, _, lost, _ := r.Next(context.Background(), cursor); item != 8 || lost != 0 {
		t.Errorf("item %d, lost %d", item, lost)
	}
}

func TestNextWaits(t *testing.T) {
	r := New[int](4, 1000)
	got := make(chan int)
	go func() {
		item, _, _, _ := r.Next(context.Background(), 1)
		got <- item
	}()
	add(r, 1)
	if item := <-got; item != 1 {
		t.Error(item)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, _, err := r.Next(ctx, 2); err == nil {
		t.Error("it does not end")
	}
}
