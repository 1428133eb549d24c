// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// What leaving a guest has in common on both vendors' processors.

#pragma once

/// Stores the guest's registers where rax points, in the order of their numbers; all but rax and rsp.
#define STORE_GUEST_REGISTERS \
    mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rbx, 24(%rax); mov %rbp, 40(%rax); \
    mov %rsi, 48(%rax); mov %rdi, 56(%rax); mov %r8, 64(%rax); mov %r9, 72(%rax); \
    mov %r10, 80(%rax); mov %r11, 88(%rax); mov %r12, 96(%rax); mov %r13, 104(%rax); \
    mov %r14, 112(%rax); mov %r15, 120(%rax)
