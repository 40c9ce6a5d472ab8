package bootguard

// aa64 is the code for arm64, instruction by instruction in the words of objdump; testdata/aa64.s explains it.
var aa64 = []uint32{
	// entry:
	0xa9bc7bfd, // stp x29, x30, [sp, #-64]!
	0x910003fd, // mov x29, sp
	0xa90153f3, // stp x19, x20, [sp, #16]
	0xa9025bf5, // stp x21, x22, [sp, #32]
	0xf9403033, // ldr x19, [x1, #96]
	0xf9402c34, // ldr x20, [x1, #88]
	0x10000b61, // adr x1, 184 <guid>
	0x9100c3e2, // add x2, sp, #0x30
	0xf9404e68, // ldr x8, [x19, #152]
	0xd63f0100, // blr x8
	0xb50006a0, // cbnz x0, fc <out>
	0xf9401be9, // ldr x9, [sp, #48]
	0xf9400535, // ldr x21, [x9, #8]
	0xaa1503e0, // mov x0, x21
	0x10000a61, // adr x1, 184 <guid>
	0x9100c3e2, // add x2, sp, #0x30
	0xf9404e68, // ldr x8, [x19, #152]
	0xd63f0100, // blr x8
	0xb50005a0, // cbnz x0, fc <out>
	0xf9401be9, // ldr x9, [sp, #48]
	0xf9402536, // ldr x22, [x9, #72]
	0x52800000, // mov w0, #0x0
	0x52800061, // mov w1, #0x3
	0xd2800022, // mov x2, #0x1
	0x9100c3e3, // add x3, sp, #0x30
	0xf9401668, // ldr x8, [x19, #40]
	0xd63f0100, // blr x8
	0xb5000480, // cbnz x0, fc <out>
	0xf9401be2, // ldr x2, [sp, #48]
	0x91040043, // add x3, x2, #0x100
	0xa9005073, // stp x19, x20, [x3]
	0xa9015875, // stp x21, x22, [x3, #16]
	0x52809609, // mov w9, #0x4b0
	0xb9002069, // str w9, [x3, #32]
	0x10000429, // adr x9, 10c <tick>
	0xd280000a, // mov x10, #0x0
	// copy:
	0xb86a692b, // ldr w11, [x9, x10]
	0xb82a684b, // str w11, [x2, x10]
	0x8b0a004c, // add x12, x2, x10
	0xd50b7b2c, // dc cvau, x12
	0x9100114a, // add x10, x10, #0x4
	0xf102215f, // cmp x10, #0x88
	0x54ffff41, // b.ne 90 <copy>
	0xd5033b9f, // dsb ish
	0xd508711f, // ic ialluis
	0xd5033b9f, // dsb ish
	0xd5033fdf, // isb
	0x52804000, // mov w0, #0x200
	0x72b00000, // movk w0, #0x8000, lsl #16
	0xd2800201, // mov x1, #0x10
	0x9100c3e4, // add x4, sp, #0x30
	0xf9402a68, // ldr x8, [x19, #80]
	0xd63f0100, // blr x8
	0xb5000140, // cbnz x0, fc <out>
	0xf9401be0, // ldr x0, [sp, #48]
	0x52800021, // mov w1, #0x1
	0x52942402, // mov w2, #0xa120
	0x72a000e2, // movk w2, #0x7, lsl #16
	0xf9402e68, // ldr x8, [x19, #88]
	0xd63f0100, // blr x8
	0xb5000060, // cbnz x0, fc <out>
	0xd28002a0, // mov x0, #0x15
	0xf2f00000, // movk x0, #0x8000, lsl #48
	// out:
	0xa9425bf5, // ldp x21, x22, [sp, #32]
	0xa94153f3, // ldp x19, x20, [sp, #16]
	0xa8c47bfd, // ldp x29, x30, [sp], #64
	0xd65f03c0, // ret
	// tick:
	0xa9be7bfd, // stp x29, x30, [sp, #-32]!
	0x910003fd, // mov x29, sp
	0xf9000bf3, // str x19, [sp, #16]
	0xaa0103f3, // mov x19, x1
	0xb9402269, // ldr w9, [x19, #32]
	0x71000529, // subs w9, w9, #0x1
	0xb9002269, // str w9, [x19, #32]
	0x540001a0, // b.eq 15c <reset>
	0xf9400a60, // ldr x0, [x19, #16]
	0x100002a1, // adr x1, 184 <guid>
	0x910063e2, // add x2, sp, #0x18
	0xf9400268, // ldr x8, [x19]
	0xf9404d08, // ldr x8, [x8, #152]
	0xd63f0100, // blr x8
	0xb50000c0, // cbnz x0, 15c <reset>
	0xf9400fe9, // ldr x9, [sp, #24]
	0xf9402529, // ldr x9, [x9, #72]
	0xf9400e6a, // ldr x10, [x19, #24]
	0xeb0a013f, // cmp x9, x10
	0x54000100, // b.eq 178 <done>
	// reset:
	0x52800000, // mov w0, #0x0
	0xd2800001, // mov x1, #0x0
	0xd2800002, // mov x2, #0x0
	0xd2800003, // mov x3, #0x0
	0xf9400668, // ldr x8, [x19, #8]
	0xf9403508, // ldr x8, [x8, #104]
	0xd63f0100, // blr x8
	// done:
	0xf9400bf3, // ldr x19, [sp, #16]
	0xa8c27bfd, // ldp x29, x30, [sp], #32
	0xd65f03c0, // ret
	// guid:
	0x5b1b31a1,
	0x11d29562,
	0xa0003f8e,
	0x3b7269c9,
}
