package vm

import (
	"fmt"
	"net"
	"sync"

	"github.com/stele-os/stele/internal/hint"
)

// chosenPorts are those that this process gave to machines: between a choice and QEMU's own listening a port is free for all, and machines start side by side.
var chosenPorts struct {
	sync.Mutex
	all map[int]bool
}

// choosePorts finds a free port on loopback for each forward that names none, no port twice, and proves that a named one is free.
func choosePorts(nics []NIC) (map[int]int, error) {
	chosenPorts.Lock()
	defer chosenPorts.Unlock()
	if chosenPorts.all == nil {
		chosenPorts.all = map[int]bool{}
	}
	ports := map[int]int{}
	for _, nic := range nics {
		for _, f := range nic.Forwards {
			for chosen := false; !chosen; {
				listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", f.Host))
				if err != nil {
					return nil, hint.New(fmt.Errorf("cannot forward host port %d to the machine: %w", f.Host, err), "name another host port, or 0 for a free one")
				}
				defer listener.Close() // all are held until all are chosen
				port := listener.Addr().(*net.TCPAddr).Port
				chosen = f.Host != 0 || !chosenPorts.all[port]
				chosenPorts.all[port] = true
				ports[f.Guest] = port
			}
		}
	}
	return ports, nil
}
