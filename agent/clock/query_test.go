package clock

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"
)

// sntpServer answers on loopback with a time that is ahead by offset; with answer false it stays silent.
func sntpServer(t *testing.T, ahead time.Duration, answer bool) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if n >= 48 && answer {
				_, _ = c.WriteTo(reply(b[40:48], time.Now().Add(ahead)), from)
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return c.LocalAddr().String()
}

// reply is an NTPv4 server's packet (RFC 5905, figure 8) of stratum 1.
func reply(origin []byte, now time.Time) []byte {
	b := make([]byte, 48)
	b[0], b[1], b[2], b[3] = 0x24, 1, 6, 0xec // no leap warning, version 4, mode 4; stratum; poll; precision 2^-20 s
	copy(b[12:], "TEST")
	copy(b[24:], origin)
	for _, at := range []int{16, 32, 40} { // reference, receive and transmit time
		binary.BigEndian.PutUint32(b[at:], uint32(now.Unix()+2208988800))
		binary.BigEndian.PutUint32(b[at+4:], uint32(uint64(now.Nanosecond())<<32/1e9))
	}
	return b
}

func TestQuery(t *testing.T) {
	a, err := query(t.Context(), sntpServer(t, time.Hour, true))
	if err != nil || (a.Offset-time.Hour).Abs() > time.Minute {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestQueryEndsWithItsContext: the server is silent, and the context is cancelled long before the library's timeout.
func TestQueryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := sntpServer(t, 0, false)
	done := make(chan error)
	go func() {
		_, err := query(ctx, server)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("an answer from a silent server")
		}
	case <-time.After(queryTimeout / 2):
		t.Error("the query goes on after its context ended")
	}
}
