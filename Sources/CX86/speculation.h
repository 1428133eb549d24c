// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// What the assembly does against speculation, as macros.

#pragma once

#define SPEC_CTRL 0x48
#define PRED_CMD 0x49

/// After an exit, the guest's registers stored: nothing of them is left for the kernel to speculate with. rax, rsp and
/// the flags stay. No flag that matters lives here.
#define CLEAR_GUEST_REGISTERS \
    xor %ecx, %ecx; xor %edx, %edx; xor %ebx, %ebx; xor %ebp, %ebp; xor %esi, %esi; xor %edi, %edi; \
    xor %r8d, %r8d; xor %r9d, %r9d; xor %r10d, %r10d; xor %r11d, %r11d; xor %r12d, %r12d; xor %r13d, %r13d; \
    xor %r14d, %r14d; xor %r15d, %r15d

/// Before a RET to the kernel that no CALL of its own is left for on the return stack: ring 3, or the end of a sleep, had
/// the core since. This RET and the next after it go, in speculation, to an INT3, and nowhere that others have trained.
#define PUSH_RETURNS \
    call 97f; \
    int3; \
97: call 98f; \
    int3; \
98: add $16, %rsp

/// Thirty-two calls: from here on each RET that has no CALL of its own goes, in speculation, to an INT3. The last LFENCE
/// keeps the loop's own branch from being guessed past (Intel, "Post-barrier Return Stack Buffer Predictions").
#define FILL_RETURN_STACK \
    mov $16, %ecx; \
91: call 93f; \
92: int3; \
93: call 95f; \
94: int3; \
95: add $16, %rsp; \
    dec %ecx; \
    jnz 91b; \
    lfence
