// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Into a guest and back (Intel SDM volume 3, §27, §28). Interrupts are off; one of the machine ends the guest all the
// same (external-interrupt exiting) and waits until the kernel takes it.

#include "guest-registers.h"
#include "speculation.h"

#define HOST_RSP 0x6C14

.macro leave_guest
    push %rax
    mov 8(%rsp), %rax
    STORE_GUEST_REGISTERS
    pop %rcx
    mov %rcx, (%rax)
    CLEAR_GUEST_REGISTERS
    pop %rdi
.endm

    .section .text.cx86_vmx_run, "ax", @progbits
    .globl cx86_vmx_run
cx86_vmx_run:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi                   // registers
    mov $HOST_RSP, %eax
    vmwrite %rsp, %rax
    test %esi, %esi             // the flag lasts until the entry
    mov (%rdi), %rax
    mov 8(%rdi), %rcx
    mov 16(%rdi), %rdx
    mov 24(%rdi), %rbx
    mov 40(%rdi), %rbp
    mov 48(%rdi), %rsi
    mov 64(%rdi), %r8
    mov 72(%rdi), %r9
    mov 80(%rdi), %r10
    mov 88(%rdi), %r11
    mov 96(%rdi), %r12
    mov 104(%rdi), %r13
    mov 112(%rdi), %r14
    mov 120(%rdi), %r15
    mov 56(%rdi), %rdi
    jnz 1f
    vmlaunch
    jmp 2f
1:  vmresume
2:  mov $1, %eax                // not entered: the instruction error says why
    pop %rdi
    jmp 3f

    .globl cx86_vmx_exit
cx86_vmx_exit:
    leave_guest
    xor %eax, %eax
3:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .globl cx86_vmx_exit_filled
cx86_vmx_exit_filled:
    leave_guest
    FILL_RETURN_STACK
    xor %eax, %eax
    jmp 3b
    .section .note.GNU-stack, "", @progbits
