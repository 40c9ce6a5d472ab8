package containers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// goneTasks is a runtime that is away for the first calls, and then says how the task ended.
type goneTasks struct {
	tasks.TasksClient
	away int
}

func (g *goneTasks) Wait(context.Context, *tasks.WaitRequest, ...grpc.CallOption) (*tasks.WaitResponse, error) {
	if g.away--; g.away >= 0 {
		return nil, status.Error(codes.Unavailable, "connection refused")
	}
	return &tasks.WaitResponse{ExitStatus: 5}, nil
}

func TestWorkerKeepsTheTaskWhenTheRuntimeIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &containerdEngine{options: Options{Clock: realClock{}}, tasks: &goneTasks{away: 30}}
		began := time.Now()
		got, err := (&containerdTask{engine: e, name: "a"}).Wait(t.Context())
		if err != nil || got.Code != 5 {
			t.Errorf("exit %+v, error %v, want code 5", got, err)
		}
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited %v for the runtime, want 3 s", waited)
		}
	})
}
