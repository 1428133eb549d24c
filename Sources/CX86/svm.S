// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Into a guest and back (AMD APM volume 2, §15.5). With GIF clear and IF set, an interrupt of the machine waits for the
// guest and then ends it (V_INTR_MASKING).

#include "guest-registers.h"
#include "speculation.h"

/// fills: `FILL_RETURN_STACK` after the exit; forgets: an IBPB; switches: SPEC_CTRL, whose value is the sixth argument's.
.macro run_guest fills=0, forgets=0, switches=0
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    .if \switches
    push %r9                    // SPEC_CTRL
    .endif
    push %rdx                   // host VMCB
    push %rsi                   // registers
    mov %cr3, %rax
    cmp %rax, %rcx
    je 1f
    mov %r8, %cr3               // VMRUN keeps it for the exit
1:
    .if \switches
    mov $SPEC_CTRL, %ecx
    mov (%r9), %eax
    mov 4(%r9), %edx
    wrmsr
    .endif
    mov %rdi, %rax
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
    .if \switches
    mov 16(%rsp), %rsi
    mov $SPEC_CTRL, %ecx
    rdmsr
    mov %eax, (%rsi)
    mov %edx, 4(%rsi)
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
    .endif
    .if \forgets
    mov $PRED_CMD, %ecx
    mov $1, %eax                // IBPB
    xor %edx, %edx
    wrmsr
    .endif
    mov 8(%rsp), %rax
    vmload %rax
    .if \fills
    FILL_RETURN_STACK
    .endif
    cli
    stgi
    add $16 + 8 * \switches, %rsp
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
    run_guest

    .section .text.cx86_svm_run_filled, "ax", @progbits
    .globl cx86_svm_run_filled
cx86_svm_run_filled:
    run_guest fills=1

    .section .text.cx86_svm_run_forgetting, "ax", @progbits
    .globl cx86_svm_run_forgetting
cx86_svm_run_forgetting:
    run_guest fills=1, forgets=1

    .section .text.cx86_svm_run_filled_control, "ax", @progbits
    .globl cx86_svm_run_filled_control
cx86_svm_run_filled_control:
    run_guest fills=1, switches=1

    .section .text.cx86_svm_run_forgetting_control, "ax", @progbits
    .globl cx86_svm_run_forgetting_control
cx86_svm_run_forgetting_control:
    run_guest fills=1, forgets=1, switches=1
    .section .note.GNU-stack, "", @progbits
