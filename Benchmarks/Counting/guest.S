// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// A guest of a few instructions that leaves for one reason after the other, often, and says when it is done. It is a
// kernel of Linux' boot protocol 2.06: entered at 1 MiB in 32-bit mode, without paging. Each reason has 256 bytes of
// code of its own, from `phases` on, so that an exit's address says what it was for; `ExitCosts.swift` names them.

#define TIMES 4000
#define TICKS 1000
#define APIC 0xfee00000
#define TICK 1000000            // the timer counts nanoseconds
#define KICK 0xc000             // where the network card's queues are put
#define STACK 0x180000

    .code32
    .text
    .org 0x1f1                  // the boot protocol's "Real-Mode Kernel Header"
    .byte 4                     // setup sectors
    .org 0x1f4
    .long (end - start) / 16
    .org 0x1fe
    .word 0xaa55
    .org 0x200
    .byte 0xeb, 0x3c            // the header ends at 0x23e
    .ascii "HdrS"
    .word 0x206
    .org 0x211
    .byte 1                     // goes to 1 MiB
    .org 0x22c
    .long 0x37ffffff, 0x1000    // initial RAM disk below; alignment
    .org 0x238
    .long 2047                  // characters of a command line

    .org 0xa00
start:
    mov $STACK, %esp
    lidt table_pointer - start + 0x100000
    mov $0xff, %al              // the old interrupt controllers are silent
    out %al, $0x21
    out %al, $0xa1
    movl $0x1ff, APIC + 0xf0    // on
    movl $0xb, APIC + 0x3e0     // timer: undivided,
    movl $0x40, APIC + 0x320    // once, vector 0x40
    mov $0xcf8, %edx            // card 1: ports at KICK, which are decoded
    mov $0x80000810, %eax
    out %eax, %dx
    mov $0xcfc, %edx
    mov $KICK, %eax
    out %eax, %dx
    mov $0xcf8, %edx
    mov $0x80000804, %eax
    out %eax, %dx
    mov $0xcfc, %edx
    mov $1, %eax
    out %eax, %dx
    jmp phases

tick:
    inc %ebp
    movl $TICK, APIC + 0x380    // the next one
    movl $0, APIC + 0xb0        // end of interrupt
    iret

    .balign 8
table:
    .fill 0x40, 8, 0
    .word tick - start, 0x10, 0x8e00, 0x10
table_pointer:
    .word . - table - 1
    .long table - start + 0x100000

    .macro phase                // each begins where the last ends
    .balign 256, 0x90
    mov $TIMES, %esi
1:
    .endm
    .macro end_phase
    dec %esi
    jnz 1b
    .endm

    .org 0xa00 + 0x1000
phases:
    phase                       // an identification
    mov $1, %eax
    cpuid
    end_phase
    phase                       // a port is read
    mov $0x3fd, %edx
    in %dx, %al
    end_phase
    phase                       // a port is written
    out %al, $0x80
    end_phase
    phase                       // a queue's port is written
    mov $KICK, %edx
    out %ax, %dx
    end_phase
    phase                       // a register is read
    mov $0x1b, %ecx
    rdmsr
    end_phase
    phase                       // a register is written
    mov $0x1b, %ecx
    mov $APIC + 0x900, %eax
    xor %edx, %edx
    wrmsr
    end_phase
    phase                       // memory of a device is read
    mov 0xfec00010, %eax
    end_phase
    phase                       // ticks of a guest that sleeps
    xor %ebp, %ebp
    movl $TICK, APIC + 0x380
1:  sti
    hlt
    cli
    cmp $TICKS, %ebp
    jb 1b
    phase                       // ticks of a guest that computes
    xor %ebp, %ebp
    movl $TICK, APIC + 0x380
    sti
1:  cmp $TICKS, %ebp
    jb 1b
    cli
    phase                       // done: says so, and sleeps
    mov $text - start + 0x100000, %esi
    mov $0x3f8, %edx
    mov $text_end - text, %ecx
1:  lodsb
    out %al, %dx
    dec %ecx
    jnz 1b
2:  hlt
    jmp 2b
text:
    .ascii "BENCH counted\r\n"
text_end:
    .balign 16
end:
    .section .note.GNU-stack, "", @progbits
