// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Into a guest and back (AMD APM volume 2, §15.5). With GIF clear and IF set, an interrupt of the machine waits for the
// guest and then ends it (V_INTR_MASKING).

#include "guest-registers.h"
#include "speculation.h"

.macro run_guest fills
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx                   // host VMCB
    push %rsi                   // registers
    mov %cr3, %rax
    cmp %rax, %rcx
    je 1f
    mov %r8, %cr3               // VMRUN keeps it for the exit
1:  mov %rdi, %rax
    clgi
    sti
    mov 8(%rsi), %rcx
    mov 16(%rsi), %rdx
    mov 24(%rsi), %rbx
    mov 40(%rsi), %rbp
    mov 56(%rsi), %rdi
    mov 64(%rsi), %r8
    mov 72(%rsi), %r9
    mov 80(%rsi), %r10
    mov 88(%rsi), %r11
    mov 96(%rsi), %r12
    mov 104(%rsi), %r13
    mov 112(%rsi), %r14
    mov 120(%rsi), %r15
    mov 48(%rsi), %rsi
    vmload %rax
    vmrun %rax
    vmsave %rax
    mov (%rsp), %rax
    STORE_GUEST_REGISTERS
    CLEAR_GUEST_REGISTERS
    mov 8(%rsp), %rax
    vmload %rax
    .if \fills
    FILL_RETURN_STACK
    .endif
    cli
    stgi
    add $16, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
.endm

    .section .text.cx86_svm_run, "ax", @progbits
    .globl cx86_svm_run
cx86_svm_run:
    run_guest 0

    .section .text.cx86_svm_run_filled, "ax", @progbits
    .globl cx86_svm_run_filled
cx86_svm_run_filled:
    run_guest 1
    .section .note.GNU-stack, "", @progbits
