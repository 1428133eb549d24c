// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// What a component does that is built to fail; the linker leaves it out of all others.

    .section .text.cx86_call_from_32_bits, "ax", @progbits
    .globl cx86_call_from_32_bits
cx86_call_from_32_bits:
    ljmp *1f(%rip)              // by memory: QEMU reads LRET's stack as the supervisor
1:  .long 2f
    .word 0x1b
    .code32
2:  syscall
    ud2
    .code64
    .section .note.GNU-stack, "", @progbits
