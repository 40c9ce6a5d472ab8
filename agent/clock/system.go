package clock

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/beevik/ntp"
	"golang.org/x/sys/unix"
)

// rtcPath is the machine's battery-backed clock (rtc(4)).
const rtcPath = "/dev/rtc0"

// adjOffsetSingleshot is ADJ_OFFSET_SINGLESHOT of adjtimex(2): the old adjtime(3), at 500 ppm.
const adjOffsetSingleshot = 0x8001

func (o Options) filled() Options {
	if o.System == nil {
		o.System = kernel{}
	}
	if o.Query == nil {
		o.Query = query
	}
	if o.After == nil {
		o.After = time.After
	}
	return o
}

// query asks one server by SNTP.
func query(ctx context.Context, server string) (Answer, error) {
	timeout := queryTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	dial := func(_, remote string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "udp", remote)
		if err == nil { // the library waits for its timeout only; a machine that goes down must not
			context.AfterFunc(ctx, func() { _ = c.Close() })
		}
		return c, err
	}
	response, err := ntp.QueryWithOptions(server, ntp.QueryOptions{Timeout: timeout, Dialer: dial})
	if err != nil {
		return Answer{}, err
	}
	if err := response.Validate(); err != nil {
		return Answer{}, err
	}
	return Answer{Server: server, Offset: response.ClockOffset}, nil
}

// kernel is the machine's clock.
type kernel struct{}

func (kernel) Now() time.Time { return time.Now() }

func (kernel) Step(offset time.Duration) error {
	ts := unix.NsecToTimespec(time.Now().Add(offset).UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}

func (kernel) Slew(offset time.Duration) error {
	_, err := unix.Adjtimex(&unix.Timex{Modes: adjOffsetSingleshot, Offset: offset.Microseconds()})
	return err
}

// WriteRTC stores UTC. A machine without an RTC has nothing to write.
func (kernel) WriteRTC() error {
	f, err := os.OpenFile(rtcPath, os.O_WRONLY|unix.O_CLOEXEC, 0)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot open the hardware clock: %w", err)
	}
	defer f.Close()
	t := time.Now().UTC()
	// struct rtc_time counts like struct tm: months from 0, years from 1900 (include/uapi/linux/rtc.h).
	rtc := unix.RTCTime{
		Sec: int32(t.Second()), Min: int32(t.Minute()), Hour: int32(t.Hour()),
		Mday: int32(t.Day()), Mon: int32(t.Month()) - 1, Year: int32(t.Year()) - 1900,
	}
	if err := unix.IoctlSetRTCTime(int(f.Fd()), &rtc); err != nil {
		return fmt.Errorf("cannot write the hardware clock %q: %w", rtcPath, err)
	}
	return nil
}
