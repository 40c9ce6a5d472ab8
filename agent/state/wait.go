package state

import (
	"context"
	"reflect"
	"time"
)

// Wait returns the first published value that ok accepts (nil: any). One that is there already counts although ctx has ended.
func (v *Value[T]) Wait(ctx context.Context, ok func(T) bool) (T, error) {
	for {
		current, published, changed := v.Watch()
		if published && (ok == nil || ok(current)) {
			return current, nil
		}
		select {
		case <-ctx.Done():
			return current, ctx.Err()
		case <-changed:
		}
	}
}

// WaitAny waits until one of the channels is closed, timer fires (nil: never) or done is closed. It returns false when done is closed.
func WaitAny(done <-chan struct{}, changes []<-chan struct{}, timer <-chan time.Time) bool {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(done)}, {Dir: reflect.SelectRecv, Chan: reflect.ValueOf(timer)}}
	for _, c := range changes {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
	}
	chosen, _, _ := reflect.Select(cases)
	return chosen != 0
}
