// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Into ring 3 and back. To the kernel, running a thread is a function call: cx86_enter_user returns when the thread
// trapped, was interrupted or made a system call. Interrupts are off in the kernel; it takes them where it asks for
// them, and the entry code then hands it nothing but the vector.

#include "include/CX86.h"
#include "speculation.h"

// Offsets in cx86_frame.
#define R11 32
#define RCX 96
#define RAX 112
#define VECTOR 120
#define RIP 136
#define CS 144
#define RFLAGS 152
#define RSP 160
#define KERNEL_STACK CX86_FRAME_END

.macro push_registers
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
.endm

.macro pop_registers
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
.endm

.macro push_preserved
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
.endm

.macro pop_preserved
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
.endm

// An interrupt or exception leaves RFLAGS.AC as ring 3 had it, and with it SMAP off; CLAC is there where SMAP is.
.macro close_user_pages
    cmpb $0, has_access_control(%rip)
    je 9f
    clac
9:
.endm

    .section .text.cx86_enter_user, "ax", @progbits
    .globl cx86_enter_user
cx86_enter_user:
    push_preserved
    mov %rsp, KERNEL_STACK(%rdi)
    mov %rdi, %rsp
    pop_registers
    add $16, %rsp               // vector, error
    iretq

    .section .text.cx86_return_to_user, "ax", @progbits
    .globl cx86_return_to_user
cx86_return_to_user:
    push_preserved
    mov %rsp, KERNEL_STACK(%rdi)
    mov %rdi, %rsp
    pop_registers
    mov RIP - VECTOR(%rsp), %rcx
    mov RFLAGS - VECTOR(%rsp), %r11
    mov RSP - VECTOR(%rsp), %rsp
    sysretq

// From SYSCALL, on the component's stack: onto the end of the thread's frame, which becomes one of `vector`.
.macro enter_by_call vector
    swapgs
    mov %rsp, %gs:8
    mov %gs:0, %rsp
    pushq $0x23                 // ss
    pushq %gs:8                 // rsp
    swapgs
    push %r11                   // rflags
    pushq $0x2b                 // cs
    push %rcx                   // rip
    pushq $0                    // error
    pushq $\vector
    push_registers
    jmp leave_user
.endm

    .section .text.cx86_system_call_entry, "ax", @progbits
    .globl cx86_system_call_entry
cx86_system_call_entry:
    enter_by_call CX86_SYSTEM_CALL_VECTOR

// SYSCALL of 32-bit code, on AMD: to the component an instruction that there is not. No descriptor lets it run such code.
    .section .text.cx86_forbidden_call_entry, "ax", @progbits
    .globl cx86_forbidden_call_entry
cx86_forbidden_call_entry:
    enter_by_call 6

    .section .text.cx86_traps, "ax", @progbits
trap:
    push_registers
    close_user_pages
    testb $3, CS(%rsp)
    jz trap_in_kernel
leave_user:
    mov KERNEL_STACK(%rsp), %rsp
    cld
    pop_preserved
    xor %eax, %eax              // nothing of the thread's is left for the kernel to speculate with
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r11d, %r11d
    PUSH_RETURNS
    ret
trap_in_kernel:
    cld
    cmpq $32, VECTOR(%rsp)
    jb 1f
    mov VECTOR(%rsp), %rax      // an interrupt that was asked for: the answer of the function that asked,
    mov %rax, RAX(%rsp)
    andq $~0x200, RFLAGS(%rsp)  // and no second one before that function returns
    pop_registers
    add $16, %rsp
    iretq
nonmaskable:                    // on a stack of its own, and blocked until the iretq
    push_registers
    close_user_pages
    mov %rsp, %rbx
    mov %rsp, %rdi
    and $~15, %rsp
    cld
    call kernel_nmi
    mov %rbx, %rsp
    pop_registers
    add $16, %rsp
    iretq
machine_check:                  // likewise; the answer is where to go on
    push_registers
    close_user_pages
    mov %rsp, %rbx
    mov %rsp, %rdi
    and $~15, %rsp
    cld
    call kernel_machine_check
    mov %rbx, %rsp
    test %rax, %rax
    jnz 2f
    pop_registers
    add $16, %rsp
    iretq
2:  mov %rax, %rsp              // the thread's own frame: it has trapped
    jmp leave_user
fatal_trap:
    push_registers
    close_user_pages
1:  mov %rsp, %rdi
    and $~15, %rsp
    call kernel_trap
    ud2

    .align 16
    .globl cx86_trap_entries
cx86_trap_entries:
    .set vector, 0
    .rept 256
    .align 16
    // Exceptions 8, 10-14, 17, 21, 29 and 30 push an error code (AMD APM volume 2, §8.2).
    .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30))
    pushq $0
    .endif
    .if vector == CX86_CALL_GATE
    pushq $CX86_GATE_CALL_VECTOR
    .else
    pushq $vector
    .endif
    .if vector == 2
    jmp nonmaskable
    .elseif vector == 8
    jmp fatal_trap              // a double fault, on a stack of its own
    .elseif vector == 18
    jmp machine_check
    .else
    jmp trap
    .endif
    .set vector, vector + 1
    .endr

    .section .data.has_access_control, "aw", @progbits
has_access_control:
    .byte 0

    .section .text.cx86_set_access_control, "ax", @progbits
    .globl cx86_set_access_control
cx86_set_access_control:
    mov %dil, has_access_control(%rip)
    ret

    .section .text.cx86_wait_for_interrupt, "ax", @progbits
    .globl cx86_wait_for_interrupt
cx86_wait_for_interrupt:
    xor %eax, %eax
    sti                         // takes effect after the next instruction: no interrupt slips in before the halt
    hlt
    cli
    PUSH_RETURNS
    ret

    .section .text.cx86_take_interrupt, "ax", @progbits
    .globl cx86_take_interrupt
cx86_take_interrupt:
    xor %eax, %eax
    sti
    nop
    nop
    cli
    ret

    .section .text.cx86_load_tables, "ax", @progbits
    .globl cx86_load_tables
cx86_load_tables:
    lgdt (%rdi)
    lidt (%rsi)
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    lldt %ax
    mov $0x30, %eax
    ltr %ax
    pop %rax
    push $0x08
    push %rax
    lretq

    .section .text.cx86_switch_stack, "ax", @progbits
    .globl cx86_switch_stack
cx86_switch_stack:
    mov %rdi, %rsp
    mov %rsi, %rdi
    xor %ebp, %ebp
    push %rbp
    push %rbp
    call kernel_core_run
    ud2
    .section .note.GNU-stack, "", @progbits
