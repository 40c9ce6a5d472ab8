// Package bootguard makes an EFI driver that resets a machine whose kernel does not come.
//
// systemd-boot counts a try before it loads the kernel, but when firmware then refuses the image (a truncated UKI, say), the loader returns to the
// firmware, which goes on to its shell, its menu or the network, and stays there: the try that would have led back to the old version never happens
// (seen with systemd-boot 257 and OVMF for five minutes). So the loader starts this driver first (systemd-boot(7), /EFI/systemd/drivers/). It sets a
// timer of the boot services and is done. A kernel that starts ends the boot services, and the timer with them. Until then the timer
// looks every 50 ms, and resets the machine when the loader is gone, or when 60 seconds are over. With Secure Boot the firmware refuses its shell, too, and starts the
// loader again at once: a timer that looks once a second leaves time for
// that run to take a try from the next entry, whose kernel it then does not load (seen with OVMF: two entries of four were counted, and the console had no word of them):
//
//	firmware -> systemd-boot -> bootguard: timer -> entry chosen, counted, loaded -> ExitBootServices: no timer any more
//	              ^                           |-> the loader has returned to the firmware -> ResetSystem(cold)
//	              |                           '-> 60 s, and still no kernel               -> ResetSystem(cold)
//	              '-------------------------------------------------------------------------'
//
// It needs no EFI variables. Who leaves the loader's menu for the firmware, or sits in it for a minute, is reset as well. UEFI's own watchdog (SetWatchdogTimer) would not do:
// firmware stops it when the loader returns.
//
// The driver copies what the timer calls to a page of its own and returns EFI_ABORTED, which systemd-boot takes for "done, unload me". A driver that stays
// would make the loader connect all drivers to all devices anew, which takes time and wakes devices that the boot does not need.
//
// The code has no relocations; testdata/x64.s and testdata/aa64.s are its source, and TestListing assembles them and compares.
package bootguard
