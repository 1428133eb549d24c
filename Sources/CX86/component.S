// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Where a component starts: the kernel gave it a stack.

    .section .text.component_entry, "ax", @progbits
    .globl component_entry
component_entry:
    xor %ebp, %ebp
    push %rbp
    call component_main
    ud2
    .section .note.GNU-stack, "", @progbits
