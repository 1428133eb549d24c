// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// A 64-bit guest of its own making, as a kernel of Linux' form: ring 3 and ring 0 of it call each other by SYSCALL and
// SYSRET, with SWAPGS, CPUIDs in between, and look whether the registers of these hold what was written. Two of them
// (ID 0 and 1) write different values. Every 4096 rounds it prints L or R, on any mistake B, and restarts after 32768.

    .code32
    .text
    // The header of Documentation/arch/x86/boot.rst.
    .org 0x1f1
    .byte 4
    .org 0x1f4
    .long (end - start) / 16
    .org 0x1fe
    .word 0xaa55
    .org 0x200
    .byte 0xeb, 0x3c
    .ascii "HdrS"
    .word 0x206
    .org 0x211
    .byte 1
    .org 0x22c
    .long 0x37ffffff, 0x1000
    .org 0x238
    .long 2047
    .org 0xa00
// Linear addresses: the kernel is loaded at 1 MiB.
#define A(x) ((x) - start + 0x100000)
start:
    mov $0x180000, %esp
    mov $0xc0000082, %ecx
    rdmsr
    test %eax, %eax
    jnz bad32
    mov $0x200000, %edi
    xor %eax, %eax
    mov $0x3000/4, %ecx
    rep stosl
    movl $0x201007, 0x200000
    movl $0x202007, 0x201000
    mov $0x87, %eax
    mov $0x202000, %edi
    mov $64, %ecx
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 1b
    mov $0x20, %eax
    mov %eax, %cr4
    mov $0x200000, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    mov $0x100, %eax
    xor %edx, %edx
    wrmsr
    lgdt A(gdtp)
    mov $0x80000011, %eax
    mov %eax, %cr0
    ljmp $8, $A(long)
bad32: mov $'B', %al
    mov $0x3f8, %dx
    out %al, %dx
    jmp bad32
    .code64
long:
    mov $0x10, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov %eax, %es
    mov $0x180000, %esp
    // gate 13
    lea gp(%rip), %rax
    mov $0x203000, %edi
    mov %ax, 13*16(%rdi)
    movw $8, 13*16+2(%rdi)
    movw $0x8e00, 13*16+4(%rdi)
    shr $16, %rax
    mov %ax, 13*16+6(%rdi)
    movl $0, 13*16+8(%rdi)
    lidt idtp(%rip)
    // while SCE is off: values are kept
    mov $0xc0000081, %ecx
    mov $0x1000+ID, %eax
    mov $0x001b0008, %edx
    wrmsr
    mov $0xc0000082, %ecx
    lea handler(%rip), %rax
    xor %edx, %edx
    wrmsr
    mov $0xc0000083, %ecx
    mov $0x7777+ID, %eax
    mov $0xffffffff, %edx
    wrmsr
    mov $0xc0000084, %ecx
    mov $0x700+ID, %eax
    xor %edx, %edx
    wrmsr
    xor %r15d, %r15d
    mov $0xc0000082, %ecx       // not canonical
    mov $0x8000, %edx
    wrmsr
    cmp $1, %r15d
    jne bad
    mov $0xc0000080, %ecx
    mov $0x101, %eax
    xor %edx, %edx
    wrmsr
    mov $0xc0000101, %ecx
    mov $0x500000, %eax
    xor %edx, %edx
    wrmsr
    mov $0xc0000102, %ecx
    mov $0x600000+ID, %eax
    xor %edx, %edx
    wrmsr
    xor %r12d, %r12d
    mov $0x190000, %r14d
    lea user(%rip), %rcx
    mov $2, %r11d
    sysretq
user:
    mov $3, %r13d
    stc
    syscall
    cmp $4, %r13d
    jne ubad
    mov %cs, %eax
    cmp $0x2b, %eax
    jne ubad
    mov $1, %eax
    cpuid
    stc
    syscall
    jnc ubad
    jmp user
ubad: syscall
    xor %r13d, %r13d
    syscall
handler:
    pushfq
    pop %rax
    xor $1, %eax
    and $1, %eax
    cmp $ID, %eax               // mask
    jne bad
    mov %r11, %r8
    mov %rcx, %r9
    cmp $3, %r13d
    je 1f
    cmp $4, %r13d
    jne bad
1:  mov $4, %r13d
    swapgs
    mov $0xc0000102, %ecx
    rdmsr
    cmp $0x500000, %eax
    jne bad
    mov $0xc0000101, %ecx
    rdmsr
    cmp $0x600000+ID, %eax
    jne bad
    mov $0, %eax
    cpuid                       // an exit with both exchanged
    mov $0xc0000102, %ecx
    rdmsr
    cmp $0x500000, %eax
    jne bad
    swapgs
    mov $0xc0000081, %ecx
    rdmsr
    cmp $0x1000+ID, %eax
    jne bad
    cmp $0x001b0008, %edx
    jne bad
    mov $0xc0000083, %ecx
    rdmsr
    cmp $0x7777+ID, %eax
    jne bad
    cmp $0xffffffff, %edx
    jne bad
    inc %r12d
    test $0xfff, %r12d
    jnz 2f
    mov $('L' + 6*ID), %al
    mov $0x3f8, %dx
    out %al, %dx
    mov $10, %al
    out %al, %dx
    cmp $0x8000, %r12d
    jb 2f
    mov $0xfe, %al
    out %al, $0x64
2:  mov %r8, %r11
    mov %r9, %rcx
    sysretq
gp: inc %r15d
    addq $2, 8(%rsp)
    add $8, %rsp
    iretq
bad: mov $'B', %al
    mov $0x3f8, %dx
    out %al, %dx
    jmp bad
    .balign 8
gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0x00cff3000000ffff, 0x00affb000000ffff
gdtp: .word 47
    .long A(gdt)
idtp: .word 14*16-1
    .quad 0x203000
    .balign 16
end:
