# The code of bootguard's EFI driver for x86_64, in AT&T syntax, for GNU as. TestListing holds the bytes in x64.go to it.
#
# Calling convention: Microsoft's (UEFI 2.10 §2.3.4.2): arguments in rcx, rdx, r8, r9, then [rsp+32]; 32 bytes of shadow space; rsp aligned to 16 at calls.
# Offsets: EFI_SYSTEM_TABLE §4.3, EFI_BOOT_SERVICES §4.4, EFI_RUNTIME_SERVICES §4.5, EFI_LOADED_IMAGE_PROTOCOL §9.1.

	.set	ST_RUNTIME_SERVICES, 88
	.set	ST_BOOT_SERVICES, 96
	.set	BS_ALLOCATE_PAGES, 40
	.set	BS_CREATE_EVENT, 80
	.set	BS_SET_TIMER, 88
	.set	BS_HANDLE_PROTOCOL, 152
	.set	RT_RESET_SYSTEM, 104
	.set	IMAGE_PARENT, 8
	.set	IMAGE_SIZE, 72

	.set	ALLOCATE_ANY_PAGES, 0		# §7.2.1 EFI_ALLOCATE_TYPE
	.set	BOOT_SERVICES_CODE, 3		# §7.2.1 EFI_MEMORY_TYPE
	.set	TIMER_NOTIFY_SIGNAL, 0x80000200	# §7.1.1 EVT_TIMER | EVT_NOTIFY_SIGNAL
	.set	TPL_NOTIFY, 16			# §7.1.8; the level at which EDK2's own watchdog resets
	.set	TIMER_PERIODIC, 1		# §7.1.7 EFI_TIMER_DELAY
	.set	TICK, 500000		# in units of 100 ns: 50 ms
	.set	TICKS, 1200

	# What tick needs, behind its code (97 bytes) in the page.
	.set	CONTEXT, 256
	.set	C_BOOT_SERVICES, 0
	.set	C_RUNTIME_SERVICES, 8
	.set	C_LOADER, 16			# handle of the loader's image
	.set	C_LOADER_SIZE, 24		# size of that image
	.set	C_TICKS, 32			# left

	.text
# entry(rcx = image handle, rdx = system table)
entry:
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	subq	$56, %rsp
	movq	ST_BOOT_SERVICES(%rdx), %rbx
	movq	ST_RUNTIME_SERVICES(%rdx), %rsi

	# rdi = the image that loaded this one: HandleProtocol(handle, loaded image, &[rsp+40])
	leaq	guid(%rip), %rdx
	leaq	40(%rsp), %r8
	call	*BS_HANDLE_PROTOCOL(%rbx)
	testq	%rax, %rax
	jnz	out
	movq	40(%rsp), %rax
	movq	IMAGE_PARENT(%rax), %rdi

	# rbp = its size
	movq	%rdi, %rcx
	leaq	guid(%rip), %rdx
	leaq	40(%rsp), %r8
	call	*BS_HANDLE_PROTOCOL(%rbx)
	testq	%rax, %rax
	jnz	out
	movq	40(%rsp), %rax
	movq	IMAGE_SIZE(%rax), %rbp

	# A page that stays when this image is unloaded: AllocatePages(any, code, 1, &[rsp+40])
	xorl	%ecx, %ecx
	leal	BOOT_SERVICES_CODE(%rcx), %edx
	leal	1(%rcx), %r8d
	leaq	40(%rsp), %r9
	call	*BS_ALLOCATE_PAGES(%rbx)
	testq	%rax, %rax
	jnz	out

	# Fill it: context, then tick's code.
	movq	40(%rsp), %r8
	leaq	CONTEXT(%r8), %r9
	movq	%rbx, C_BOOT_SERVICES(%r9)
	movq	%rsi, C_RUNTIME_SERVICES(%r9)
	movq	%rdi, C_LOADER(%r9)
	movq	%rbp, C_LOADER_SIZE(%r9)
	movl	$TICKS, C_TICKS(%r9)
	movq	%r8, %rdi
	leaq	tick(%rip), %rsi
	movl	$(end - tick), %ecx
	cld
	rep movsb

	# CreateEvent(type, level, tick in the page, context, &[rsp+40])
	movl	$TIMER_NOTIFY_SIGNAL, %ecx
	movl	$TPL_NOTIFY, %edx
	leaq	40(%rsp), %rax
	movq	%rax, 32(%rsp)
	call	*BS_CREATE_EVENT(%rbx)
	testq	%rax, %rax
	jnz	out

	# SetTimer(event, periodic, 50 ms)
	movq	40(%rsp), %rcx
	movl	$TIMER_PERIODIC, %edx
	movl	$TICK, %r8d
	call	*BS_SET_TIMER(%rbx)
	testq	%rax, %rax
	jnz	out

	# EFI_ABORTED (appendix D): the loader unloads this image without a word, and does not connect all drivers anew.
	movabsq	$0x8000000000000015, %rax
out:
	addq	$56, %rsp
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	ret

# tick(rcx = event, rdx = context), every 50 ms
tick:
	pushq	%rbx
	subq	$48, %rsp
	movq	%rdx, %rbx
	subl	$1, C_TICKS(%rbx)
	jz	reset

	# Is the loader still there? Its handle may be another image's by now: that one would have another size.
	movq	C_LOADER(%rbx), %rcx
	leaq	guid(%rip), %rdx
	leaq	40(%rsp), %r8
	movq	C_BOOT_SERVICES(%rbx), %rax
	call	*BS_HANDLE_PROTOCOL(%rax)
	testq	%rax, %rax
	jnz	reset
	movq	40(%rsp), %rax
	movq	IMAGE_SIZE(%rax), %rax
	cmpq	C_LOADER_SIZE(%rbx), %rax
	je	done

	# ResetSystem(cold, EFI_SUCCESS, 0, none); §8.5.1 EFI_RESET_TYPE
reset:
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	movq	C_RUNTIME_SERVICES(%rbx), %rax
	call	*RT_RESET_SYSTEM(%rax)
done:
	addq	$48, %rsp
	popq	%rbx
	ret

# EFI_LOADED_IMAGE_PROTOCOL_GUID, 5b1b31a1-9562-11d2-8e3f-00a0c969723b
guid:
	.long	0x5b1b31a1
	.short	0x9562, 0x11d2
	.byte	0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b
end:
