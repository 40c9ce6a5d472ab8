package server

import (
	"context"

	"connectrpc.com/connect"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// machineService implements nodev1.MachineServiceHandler.
type machineService struct{ *server }

func (s machineService) Status(context.Context, *connect.Request[nodev1.StatusRequest]) (*connect.Response[nodev1.StatusResponse], error) {
	return connect.NewResponse(statusOf(s.snapshot())), nil
}

// get is the value without whether it was ever published.
func get[T any](v *state.Value[T]) T {
	x, _ := v.Get()
	return x
}

func (s *server) snapshot() snapshot {
	m := s.machine
	return snapshot{
		Facts: get(&m.Facts), Desired: get(&m.Desired), Boot: get(&m.Boot), Document: get(&m.Document), Network: get(&m.Network),
		Clock: get(&m.Clock), Storage: get(&m.Storage), Containers: get(&m.Containers), Update: get(&m.Update), Boots: get(&m.Boots),
		API: get(&m.API), Health: get(&m.Health),
		Kernel: kernelRelease(), Now: s.options.Now(), Uptime: s.options.Uptime(), MemoryUsed: s.options.MemoryUsed(),
	}
}

func kernelRelease() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

func (s machineService) WatchEvents(ctx context.Context, r *connect.Request[nodev1.WatchEventsRequest], out *connect.ServerStream[nodev1.Event]) error {
	reader := s.options.Events.Reader(int(min(r.Msg.GetLast(), 1<<16)))
	if err := out.Send(nil); err != nil { // the header: the client knows that it will miss nothing from here on
		return err
	}
	for {
		e, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		message := &nodev1.Event{
			Time: timestamppb.New(e.Time), Kind: e.Kind, Object: e.Object, Message: e.Message, Lost: e.Lost, Sequence: e.Sequence,
		}
		if err := out.Send(message); err != nil {
			return err
		}
	}
}
