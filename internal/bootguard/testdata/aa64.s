// The code of bootguard's EFI driver for arm64, for GNU as. TestListing holds the bytes in aa64.go to it.
//
// Calling convention: AAPCS64 (UEFI 2.10 §2.3.6.4): arguments in x0 to x7, result in x0; x19 to x28 are the callee's to keep; sp aligned to 16.
// Offsets: EFI_SYSTEM_TABLE §4.3, EFI_BOOT_SERVICES §4.4, EFI_RUNTIME_SERVICES §4.5, EFI_LOADED_IMAGE_PROTOCOL §9.1.

	.set	ST_RUNTIME_SERVICES, 88
	.set	ST_BOOT_SERVICES, 96
	.set	BS_ALLOCATE_PAGES, 40
	.set	BS_CREATE_EVENT, 80
	.set	BS_SET_TIMER, 88
	.set	BS_HANDLE_PROTOCOL, 152
	.set	RT_RESET_SYSTEM, 104
	.set	IMAGE_PARENT, 8
	.set	IMAGE_SIZE, 72

	.set	ALLOCATE_ANY_PAGES, 0		// §7.2.1 EFI_ALLOCATE_TYPE
	.set	BOOT_SERVICES_CODE, 3		// §7.2.1 EFI_MEMORY_TYPE
	.set	TIMER_NOTIFY_SIGNAL, 0x80000200	// §7.1.1 EVT_TIMER | EVT_NOTIFY_SIGNAL
	.set	TPL_NOTIFY, 16			// §7.1.8; the level at which EDK2's own watchdog resets
	.set	TIMER_PERIODIC, 1		// §7.1.7 EFI_TIMER_DELAY
	.set	TICK, 500000		// in units of 100 ns: 50 ms
	.set	TICKS, 1200

	// What tick needs, behind its code and the GUID (136 bytes) in the page.
	.set	CONTEXT, 256
	.set	C_BOOT_SERVICES, 0
	.set	C_RUNTIME_SERVICES, 8
	.set	C_LOADER, 16			// handle of the loader's image
	.set	C_LOADER_SIZE, 24		// size of that image
	.set	C_TICKS, 32			// left

	.text
// entry(x0 = image handle, x1 = system table)
entry:
	stp	x29, x30, [sp, #-64]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	ldr	x19, [x1, #ST_BOOT_SERVICES]
	ldr	x20, [x1, #ST_RUNTIME_SERVICES]

	// x21 = the image that loaded this one: HandleProtocol(handle, loaded image, &[sp+48])
	adr	x1, guid
	add	x2, sp, #48
	ldr	x8, [x19, #BS_HANDLE_PROTOCOL]
	blr	x8
	cbnz	x0, out
	ldr	x9, [sp, #48]
	ldr	x21, [x9, #IMAGE_PARENT]

	// x22 = its size
	mov	x0, x21
	adr	x1, guid
	add	x2, sp, #48
	ldr	x8, [x19, #BS_HANDLE_PROTOCOL]
	blr	x8
	cbnz	x0, out
	ldr	x9, [sp, #48]
	ldr	x22, [x9, #IMAGE_SIZE]

	// A page that stays when this image is unloaded: AllocatePages(any, code, 1, &[sp+48])
	mov	w0, #ALLOCATE_ANY_PAGES
	mov	w1, #BOOT_SERVICES_CODE
	mov	x2, #1
	add	x3, sp, #48
	ldr	x8, [x19, #BS_ALLOCATE_PAGES]
	blr	x8
	cbnz	x0, out

	// Fill it: context, then tick's code, and let the instruction fetch see that.
	ldr	x2, [sp, #48]
	add	x3, x2, #CONTEXT
	stp	x19, x20, [x3, #C_BOOT_SERVICES]
	stp	x21, x22, [x3, #C_LOADER]
	mov	w9, #TICKS
	str	w9, [x3, #C_TICKS]
	adr	x9, tick
	mov	x10, #0
copy:
	ldr	w11, [x9, x10]
	str	w11, [x2, x10]
	add	x12, x2, x10
	dc	cvau, x12
	add	x10, x10, #4
	cmp	x10, #(end - tick)
	b.ne	copy
	dsb	ish
	ic	ialluis
	dsb	ish
	isb

	// CreateEvent(type, level, tick in the page, context, &[sp+48])
	mov	w0, #(TIMER_NOTIFY_SIGNAL & 0xffff)
	movk	w0, #(TIMER_NOTIFY_SIGNAL >> 16), lsl #16
	mov	x1, #TPL_NOTIFY
	add	x4, sp, #48
	ldr	x8, [x19, #BS_CREATE_EVENT]
	blr	x8
	cbnz	x0, out

	// SetTimer(event, periodic, 50 ms)
	ldr	x0, [sp, #48]
	mov	w1, #TIMER_PERIODIC
	mov	w2, #(TICK & 0xffff)
	movk	w2, #(TICK >> 16), lsl #16
	ldr	x8, [x19, #BS_SET_TIMER]
	blr	x8
	cbnz	x0, out

	// EFI_ABORTED (appendix D): the loader unloads this image without a word, and does not connect all drivers anew.
	mov	x0, #0x15
	movk	x0, #0x8000, lsl #48
out:
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #64
	ret

// tick(x0 = event, x1 = context), every 50 ms
tick:
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x1
	ldr	w9, [x19, #C_TICKS]
	subs	w9, w9, #1
	str	w9, [x19, #C_TICKS]
	b.eq	reset

	// Is the loader still there? Its handle may be another image's by now: that one would have another size.
	ldr	x0, [x19, #C_LOADER]
	adr	x1, guid
	add	x2, sp, #24
	ldr	x8, [x19, #C_BOOT_SERVICES]
	ldr	x8, [x8, #BS_HANDLE_PROTOCOL]
	blr	x8
	cbnz	x0, reset
	ldr	x9, [sp, #24]
	ldr	x9, [x9, #IMAGE_SIZE]
	ldr	x10, [x19, #C_LOADER_SIZE]
	cmp	x9, x10
	b.eq	done

	// ResetSystem(cold, EFI_SUCCESS, 0, none); §8.5.1 EFI_RESET_TYPE
reset:
	mov	w0, #0
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	ldr	x8, [x19, #C_RUNTIME_SERVICES]
	ldr	x8, [x8, #RT_RESET_SYSTEM]
	blr	x8
done:
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret

// EFI_LOADED_IMAGE_PROTOCOL_GUID, 5b1b31a1-9562-11d2-8e3f-00a0c969723b
guid:
	.long	0x5b1b31a1
	.short	0x9562, 0x11d2
	.byte	0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b
end:
