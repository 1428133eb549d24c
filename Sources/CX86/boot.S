// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// The two ways into the kernel: PVH (QEMU -kernel) and multiboot2 (GRUB). Both arrive in 32-bit protected mode without
// paging. The code maps the first 4 GiB in place, at the direct map, at the device map and at the kernel's own address, and
// goes on in 64-bit mode. The kernel leaves these tables as soon as it has read the firmware's; other cores start on them.

#define KERNEL_BASE 0x7f8000000000
#define PHYSICAL(symbol) (symbol - KERNEL_BASE)
#define MULTIBOOT2_MAGIC 0x36d76289
#define PVH_MAGIC 0x336ec578
#define STACK_SIZE 0x100000     // boot passes tables of many kilobytes by value

    .section .pvh, "a", @progbits   // not a note section: those survive in programs that never use them
    .align 4
    .long 4, 8, 18              // sizes of name and word; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad PHYSICAL(pvh_entry)

    .section .multiboot, "a", @progbits
    .align 8
multiboot_header:               // multiboot2, §3.1.1
    .long 0xe85250d6, 0, multiboot_header_end - multiboot_header
    .long -(0xe85250d6 + 0 + (multiboot_header_end - multiboot_header))
    .short 3, 0                 // entry address
    .long 12, PHYSICAL(multiboot_entry), 0
    .short 6, 0                 // modules on page borders
    .long 8
    .short 0, 0
    .long 8
multiboot_header_end:

    .section .text.boot, "ax", @progbits
    .code32
pvh_entry:
    mov $PVH_MAGIC, %eax
    .globl multiboot_entry      // by its virtual address the file's entry, which GRUB wants inside a segment
multiboot_entry:
    cli
    cld
    mov %eax, %ebp              // magic
    mov %ebx, %esi              // information
    mov $PHYSICAL(boot_page_directories), %edi
    xor %ebx, %ebx
1:  mov %ebx, %eax              // 2048 pages of 2 MiB
    shl $21, %eax
    or $0x83, %eax
    mov %eax, (%edi, %ebx, 8)
    mov %ebx, %eax
    shr $11, %eax
    mov %eax, 4(%edi, %ebx, 8)
    inc %ebx
    cmp $2048, %ebx
    jb 1b
    mov $PHYSICAL(boot_pointers), %ebx
    mov $PHYSICAL(boot_page_directories) + 3, %eax
    mov $4, %ecx
2:  mov %eax, (%ebx)
    movl $0, 4(%ebx)
    add $0x1000, %eax
    add $8, %ebx
    loop 2b
    mov $PHYSICAL(cx86_boot_page_table), %ebx
    mov $PHYSICAL(boot_pointers) + 3, %eax
    mov %eax, (%ebx)            // in place
    mov %eax, 8 * 128(%ebx)     // direct map
    mov %eax, 8 * 129(%ebx)     // device map; firmware's MTRRs know that registers are not cached
    mov %eax, 8 * 255(%ebx)     // the kernel
    mov %ebx, %cr3
    mov %cr4, %eax
    or $0x20, %eax              // PAE
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x901, %eax             // EFER: SCE, LME, NXE
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax        // PG, WP, PE
    and $~0x4, %eax             // EM
    mov %eax, %cr0
    lgdt PHYSICAL(boot_gdt_pointer)
    ljmp $0x08, $PHYSICAL(3f)
    .code64
3:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs $boot_stack + STACK_SIZE, %rsp
    mov %ebp, %edi
    mov %esi, %esi
    xor %ebp, %ebp
    push %rbp
    push %rbp
    movabs $kernel_start, %rax
    call *%rax
    ud2

    .section .text.cx86_core_entry, "ax", @progbits
    .globl cx86_core_entry
cx86_core_entry:                // from trampoline.S
    call kernel_core_start
    ud2

    .section .rodata.boot, "a", @progbits
    .align 8
boot_gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
boot_gdt_pointer:
    .short . - boot_gdt - 1
    .long PHYSICAL(boot_gdt)

    .section .bss.boot, "aw", @nobits
    .align 4096
    .globl cx86_boot_page_table
cx86_boot_page_table:
    .skip 4096
boot_pointers:
    .skip 4096
boot_page_directories:
    .skip 4 * 4096
boot_stack:
    .skip STACK_SIZE
    .section .note.GNU-stack, "", @progbits
