// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Where another core starts: real mode, at the page below 1 MiB that the start-up message named. The code runs
// wherever it was copied to, so all it touches is relative to its own segment.

    .section .rodata.trampoline, "a", @progbits
    .align 16
    .globl cx86_trampoline
cx86_trampoline:
    .code16
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    xor %ebx, %ebx
    mov %ax, %bx
    shl $4, %ebx                // where we are
    lea gdt - cx86_trampoline(%ebx), %eax
    mov %eax, gdt_pointer + 2 - cx86_trampoline
    lea protected - cx86_trampoline(%ebx), %eax
    mov %eax, far_protected - cx86_trampoline
    lgdtl gdt_pointer - cx86_trampoline
    mov $0x11, %eax             // PE, ET
    mov %eax, %cr0
    ljmpl *(far_protected - cx86_trampoline)

    .code32
protected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov %cr4, %eax
    or $0x20, %eax              // PAE
    mov %eax, %cr4
    mov words - cx86_trampoline(%ebx), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x901, %eax             // EFER: SCE, LME, NXE
    wrmsr
    mov $0x80010011, %eax       // PG, WP, ET, PE
    mov %eax, %cr0
    lea long_mode - cx86_trampoline(%ebx), %eax
    lea stack_end - cx86_trampoline(%ebx), %esp
    push $0x18
    push %eax
    lret

    .code64
long_mode:
    mov %ebx, %ebx
    mov words + 8 - cx86_trampoline(%rbx), %rsp
    mov words + 16 - cx86_trampoline(%rbx), %rdi
    mov words + 24 - cx86_trampoline(%rbx), %rax
    xor %ebp, %ebp
    push %rbp
    push %rbp
    call *%rax
    ud2

    .align 8
gdt:
    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
gdt_pointer:
    .short gdt_pointer - gdt - 1
    .long 0
far_protected:
    .long 0
    .short 0x08
    .align 8
    .skip 32
stack_end:
words:
    .skip 32
    .globl cx86_trampoline_end
cx86_trampoline_end:
    .section .note.GNU-stack, "", @progbits
