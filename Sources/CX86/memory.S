// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// The memory routines that the compiler calls. They move words of eight bytes in plain loops: string instructions take
// long to start on a processor, and each of their rounds takes long in an emulator (REP MOVSQ moves 0.2 GB/s in QEMU,
// these loops more than 2).

    .section .text.memcpy, "ax", @progbits
    .globl memcpy
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    shr $6, %rcx
    jz 2f
1:  mov (%rsi), %r8             // 64 bytes a round
    mov 8(%rsi), %r9
    mov 16(%rsi), %r10
    mov 24(%rsi), %r11
    mov %r8, (%rdi)
    mov %r9, 8(%rdi)
    mov %r10, 16(%rdi)
    mov %r11, 24(%rdi)
    mov 32(%rsi), %r8
    mov 40(%rsi), %r9
    mov 48(%rsi), %r10
    mov 56(%rsi), %r11
    mov %r8, 32(%rdi)
    mov %r9, 40(%rdi)
    mov %r10, 48(%rdi)
    mov %r11, 56(%rdi)
    add $64, %rsi
    add $64, %rdi
    dec %rcx
    jnz 1b
2:  mov %edx, %ecx
    and $63, %ecx
    shr $3, %ecx
    jz 4f
3:  mov (%rsi), %r8
    mov %r8, (%rdi)
    add $8, %rsi
    add $8, %rdi
    dec %ecx
    jnz 3b
4:  and $7, %edx
    jz 6f
5:  movzbl (%rsi), %r8d
    mov %r8b, (%rdi)
    inc %rsi
    inc %rdi
    dec %edx
    jnz 5b
6:  ret

    .section .text.memmove, "ax", @progbits
    .globl memmove
memmove:
    mov %rdi, %rax
    sub %rsi, %rax
    cmp %rdx, %rax              // destination inside the source: from the end down
    jae memcpy
    mov %rdi, %rax
    mov %rdx, %rcx
    shr $3, %rcx
    jz 2f
1:  mov -8(%rsi, %rdx), %r8
    mov %r8, -8(%rdi, %rdx)
    sub $8, %rdx
    dec %rcx
    jnz 1b
2:  test %rdx, %rdx
    jz 4f
3:  movzbl -1(%rsi, %rdx), %r8d
    mov %r8b, -1(%rdi, %rdx)
    dec %rdx
    jnz 3b
4:  ret

    .section .text.memset, "ax", @progbits
    .globl memset
memset:
    mov %rdi, %r8
    movzbl %sil, %eax
    movabs $0x0101010101010101, %r9
    imul %r9, %rax
    mov %rdx, %rcx
    shr $3, %rcx
    cmp $32, %rcx
    jae 5f
    test %ecx, %ecx
    jz 2f
1:  mov %rax, (%rdi)
    add $8, %rdi
    dec %ecx
    jnz 1b
2:  and $7, %edx
    jz 4f
3:  mov %al, (%rdi)
    inc %rdi
    dec %edx
    jnz 3b
4:  mov %r8, %rax
    ret
5:  rep stosq                   // much memory: the one string instruction that is quick everywhere
    jmp 2b
    .section .note.GNU-stack, "", @progbits
