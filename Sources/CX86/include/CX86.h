// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// Instructions that Swift cannot express, one function each, and the routines of the .S files. No logic.

#pragma once

/// The vectors that stand for a system call in `cx86_frame.vector`: by SYSCALL, and by the gate of that number.
#define CX86_SYSTEM_CALL_VECTOR 256
#define CX86_GATE_CALL_VECTOR 257
#define CX86_CALL_GATE 0x30
/// Bytes of a `cx86_frame` up to `kernelStack`: where the processor begins to push.
#define CX86_FRAME_END 176

#ifndef __ASSEMBLER__
#include <stdint.h>

#define INSTRUCTION static inline __attribute__((always_inline))

/// A symbol of assembly or of the linker script, of which only the address means anything.
#define ADDRESS(symbol) extern const uint8_t symbol[]; INSTRUCTION uint64_t symbol##_address(void) { return (uint64_t)symbol; }

// MARK: Ports

INSTRUCTION uint8_t cx86_in8(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
INSTRUCTION uint16_t cx86_in16(uint16_t port) { uint16_t v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
INSTRUCTION uint32_t cx86_in32(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }
INSTRUCTION void cx86_out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" :: "a"(v), "Nd"(port)); }
INSTRUCTION void cx86_out16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" :: "a"(v), "Nd"(port)); }
INSTRUCTION void cx86_out32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" :: "a"(v), "Nd"(port)); }

// MARK: Control, model-specific and debug registers

INSTRUCTION uint64_t cx86_read_cr0(void) { uint64_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t cx86_read_cr2(void) { uint64_t v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t cx86_read_cr3(void) { uint64_t v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
INSTRUCTION void cx86_write_cr0(uint64_t v) { __asm__ volatile("mov %0, %%cr0" :: "r"(v) : "memory"); }
INSTRUCTION void cx86_write_cr3(uint64_t v) { __asm__ volatile("mov %0, %%cr3" :: "r"(v) : "memory"); }
INSTRUCTION void cx86_write_cr4(uint64_t v) { __asm__ volatile("mov %0, %%cr4" :: "r"(v) : "memory"); }
INSTRUCTION void cx86_clear_ts(void) { __asm__ volatile("clts" ::: "memory"); }
INSTRUCTION uint64_t cx86_rdmsr(uint32_t msr) { uint32_t a, d; __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr)); return (uint64_t)d << 32 | a; }
INSTRUCTION void cx86_wrmsr(uint32_t msr, uint64_t v) { __asm__ volatile("wrmsr" :: "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory"); }
INSTRUCTION void cx86_xsetbv(uint64_t v) { __asm__ volatile("xsetbv" :: "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory"); }
INSTRUCTION uint64_t cx86_xgetbv(void) { uint32_t a, d; __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0)); return (uint64_t)d << 32 | a; }
INSTRUCTION void cx86_read_debug(uint64_t *v) { __asm__ volatile("mov %%dr0, %0\n mov %%dr1, %1\n mov %%dr2, %2\n mov %%dr3, %3" : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3])); }
INSTRUCTION void cx86_write_debug(const uint64_t *v) { __asm__ volatile("mov %0, %%dr0\n mov %1, %%dr1\n mov %2, %%dr2\n mov %3, %%dr3" :: "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3])); }

// MARK: Identification and time

typedef struct { uint32_t eax, ebx, ecx, edx; } cx86_cpuid_result;
INSTRUCTION cx86_cpuid_result cx86_cpuid(uint32_t leaf, uint32_t subleaf) {
  cx86_cpuid_result r;
  __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}
INSTRUCTION uint64_t cx86_rdtsc(void) { uint32_t a, d; __asm__ volatile("rdtsc" : "=a"(a), "=d"(d) :: "memory"); return (uint64_t)d << 32 | a; }

/// A number of the processor's own noise; 0 and not good if it had none to give.
typedef struct { uint64_t value; uint8_t isGood; } cx86_random;
INSTRUCTION cx86_random cx86_rdrand(void) { cx86_random r; __asm__ volatile("rdrand %0" : "=r"(r.value), "=@ccc"(r.isGood)); return r; }

// MARK: Caches

INSTRUCTION void cx86_flush_line(const void *p) { __asm__ volatile("clflush (%0)" :: "r"(p) : "memory"); }
INSTRUCTION void cx86_fence(void) { __asm__ volatile("mfence" ::: "memory"); }
/// Stores before it are seen before any instruction after it executes.
INSTRUCTION void cx86_fence_all(void) { __asm__ volatile("mfence; lfence" ::: "memory"); }

// MARK: Speculation

/// Empties the buffers that MDS and its like read from, where microcode has VERW do so.
INSTRUCTION void cx86_clear_buffers(void) { uint16_t selector = 0x10; __asm__ volatile("verw %0" :: "m"(selector) : "cc", "memory"); }
/// `index` if it is below `count`, else 0, with no branch that could be guessed wrong.
INSTRUCTION uint64_t cx86_clamp(uint64_t index, uint64_t count) {
  uint64_t mask;
  __asm__ volatile("cmp %2, %1\n sbb %0, %0" : "=r"(mask) : "r"(index), "g"(count) : "cc");
  return index & mask;
}
/// Has x87's pointers say nothing of what was computed before.
INSTRUCTION void cx86_clear_pointers(void) { uint32_t zero = 0; __asm__ volatile("fnclex\n emms\n fildl %0" :: "m"(zero) : "memory"); }

// MARK: Waiting

INSTRUCTION void cx86_pause(void) { __asm__ volatile("pause"); }
INSTRUCTION void cx86_disable_interrupts(void) { __asm__ volatile("cli" ::: "memory"); }
INSTRUCTION __attribute__((noreturn)) void cx86_halt_forever(void) { for (;;) __asm__ volatile("cli; hlt"); }
/// Resets the processor: no exception finds a handler any more.
INSTRUCTION __attribute__((noreturn)) void cx86_triple_fault(void) {
  struct __attribute__((packed)) { uint16_t limit; uint64_t base; } nothing = { 0, 0 };
  for (;;) __asm__ volatile("lidt %0; int3" :: "m"(nothing));
}
/// Sleeps until an NMI or a machine check.
INSTRUCTION void cx86_halt(void) { __asm__ volatile("cli; hlt" ::: "memory"); }
INSTRUCTION uint64_t cx86_frame_pointer(void) { uint64_t v; __asm__ volatile("mov %%rbp, %0" : "=r"(v)); return v; }

// MARK: Extended processor state. `area` is 64-byte aligned and large enough for CPUID leaf 0xD.

INSTRUCTION void cx86_xsave(void *area, uint64_t mask) { __asm__ volatile("xsave64 (%0)" :: "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory"); }
INSTRUCTION void cx86_xrstor(const void *area, uint64_t mask) { __asm__ volatile("xrstor64 (%0)" :: "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory"); }
INSTRUCTION void cx86_fxsave(void *area) { __asm__ volatile("fxsave64 (%0)" :: "r"(area) : "memory"); }
INSTRUCTION void cx86_fxrstor(const void *area) { __asm__ volatile("fxrstor64 (%0)" :: "r"(area) : "memory"); }

// MARK: AMD SVM

INSTRUCTION void cx86_vmsave(uint64_t vmcb) { __asm__ volatile("vmsave %%rax" :: "a"(vmcb) : "memory"); }

// MARK: Intel VMX. Answers are 0, or 1 if the instruction failed.

INSTRUCTION uint8_t cx86_vmxon(uint64_t region) { uint8_t bad; __asm__ volatile("vmxon %1" : "=@ccbe"(bad) : "m"(region) : "memory"); return bad; }
INSTRUCTION uint8_t cx86_vmclear(uint64_t vmcs) { uint8_t bad; __asm__ volatile("vmclear %1" : "=@ccbe"(bad) : "m"(vmcs) : "memory"); return bad; }
INSTRUCTION uint8_t cx86_vmptrld(uint64_t vmcs) { uint8_t bad; __asm__ volatile("vmptrld %1" : "=@ccbe"(bad) : "m"(vmcs) : "memory"); return bad; }
INSTRUCTION uint64_t cx86_vmread(uint64_t field) { uint64_t v; __asm__ volatile("vmread %1, %0" : "=r"(v) : "r"(field) : "cc"); return v; }
INSTRUCTION uint8_t cx86_vmwrite(uint64_t field, uint64_t v) { uint8_t bad; __asm__ volatile("vmwrite %2, %1" : "=@ccbe"(bad) : "r"(field), "r"(v) : "memory"); return bad; }
INSTRUCTION uint8_t cx86_invept(uint64_t type, uint64_t pointer) {
  struct { uint64_t pointer, zero; } operand = { pointer, 0 };
  uint8_t bad;
  __asm__ volatile("invept %1, %2" : "=@ccbe"(bad) : "m"(operand), "r"(type) : "memory");
  return bad;
}
INSTRUCTION void cx86_write_cr2(uint64_t v) { __asm__ volatile("mov %0, %%cr2" :: "r"(v) : "memory"); }
INSTRUCTION uint64_t cx86_read_cr4(void) { uint64_t v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
INSTRUCTION uint64_t cx86_read_dr6(void) { uint64_t v; __asm__ volatile("mov %%dr6, %0" : "=r"(v)); return v; }
INSTRUCTION void cx86_write_dr6(uint64_t v) { __asm__ volatile("mov %0, %%dr6" :: "r"(v)); }
/// Has the core's own handler take an NMI that ended a guest.
INSTRUCTION void cx86_take_nmi(void) { __asm__ volatile("int $2"); }

// MARK: System calls of components

typedef struct { uint64_t status, value; } cx86_answer;
INSTRUCTION cx86_answer cx86_system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
  cx86_answer r;
  __asm__ volatile("syscall" : "=a"(r.status), "=d"(r.value) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return r;
}

/// The same where SYSCALL is off.
INSTRUCTION cx86_answer cx86_gate_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
  cx86_answer r;
  __asm__ volatile("int %[gate]" : "=a"(r.status), "=d"(r.value)
    : "a"(number), "D"(a), "S"(b), "d"(c), [gate] "i"(CX86_CALL_GATE) : "memory");
  return r;
}

// MARK: entry.S

/// Where the processor and entry.S put the registers of a thread that leaves ring 3. `kernelStack` is entry.S's own.
/// The byte after `ss` is 16-byte aligned: the processor aligns the stack of a trap so.
typedef struct __attribute__((aligned(16))) {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  uint64_t vector, error;
  uint64_t rip, cs, rflags, rsp, ss;
  uint64_t kernelStack, reserved;
} cx86_frame;

/// What each core's gs points to while a system call enters: the end of the running thread's frame, and room for one word.
typedef struct {
  uint64_t frameEnd, scratch;
} cx86_core_block;

/// Goes on in ring 3 with the registers of `frame`, until a trap, an interrupt or a system call; its vector is in the frame.
void cx86_enter_user(cx86_frame *frame);
/// Goes on in ring 3 after a system call, with SYSRET: rcx and r11 are lost.
void cx86_return_to_user(cx86_frame *frame);
/// Halts until an interrupt; its vector.
uint64_t cx86_wait_for_interrupt(void);
/// Takes one interrupt if one is pending; its vector, or 0.
uint64_t cx86_take_interrupt(void);
/// The first of 256 trap entries, 16 bytes apart.
ADDRESS(cx86_trap_entries)
/// Where SYSCALL enters; and where it does from 32-bit code on AMD, which is a trap of the component.
ADDRESS(cx86_system_call_entry)
ADDRESS(cx86_forbidden_call_entry)
/// Says whether the processor has SMAP, so that each entry from ring 3 puts it in force again.
void cx86_set_access_control(uint8_t isThere);

/// A pseudo-descriptor for LGDT and LIDT.
typedef struct __attribute__((packed)) { uint16_t limit; uint64_t base; } cx86_table;
/// Loads the tables, the segment registers (GDT 0x08, 0x10) and the task register (0x30).
void cx86_load_tables(const cx86_table *gdt, const cx86_table *idt);
/// Goes on with `kernel_core_run(launch)` on another stack; does not come back.
void cx86_switch_stack(uint64_t stackTop, uint64_t launch) __attribute__((noreturn));

// MARK: svm.S

/// Runs the guest of the VMCB at `vmcb` with the registers at `registers` (all but rax and rsp, which the VMCB holds),
/// in the order of their numbers; gives the host back what VMSAVE wrote to `hostVMCB`, and comes back with `hostCR3`, for
/// which `newCR3` is written if CR3 is another.
void cx86_svm_run(uint64_t vmcb, uint64_t *registers, uint64_t hostVMCB, uint64_t hostCR3, uint64_t newCR3);
/// As `cx86_svm_run`; after the exit the return stack holds nothing of the guest's.
void cx86_svm_run_filled(uint64_t vmcb, uint64_t *registers, uint64_t hostVMCB, uint64_t hostCR3, uint64_t newCR3);
/// As `cx86_svm_run_filled`; and all other predictions are forgotten.
void cx86_svm_run_forgetting(uint64_t vmcb, uint64_t *registers, uint64_t hostVMCB, uint64_t hostCR3, uint64_t newCR3);
/// As `cx86_svm_run_filled`, with a guest whose SPEC_CTRL is `*control`; the host's is 0.
void cx86_svm_run_filled_control(
    uint64_t vmcb, uint64_t *registers, uint64_t hostVMCB, uint64_t hostCR3, uint64_t newCR3, uint64_t *control);
/// As `cx86_svm_run_forgetting`, with such a guest.
void cx86_svm_run_forgetting_control(
    uint64_t vmcb, uint64_t *registers, uint64_t hostVMCB, uint64_t hostCR3, uint64_t newCR3, uint64_t *control);

// MARK: vmx.S

/// Runs the guest of the current VMCS with the registers at `registers` (all but rsp, which the VMCS holds), in the
/// order of their numbers; `launched` is 1 from the second time on. 1 if the guest was not entered.
uint32_t cx86_vmx_run(uint64_t *registers, uint32_t launched);
/// Where an exit arrives: the host's RIP.
ADDRESS(cx86_vmx_exit)
/// As `cx86_vmx_exit`; the return stack holds nothing of the guest's.
ADDRESS(cx86_vmx_exit_filled)

// MARK: misdeeds.S, and what else a component does that is built to fail

/// Jumps to 32-bit code, if the descriptor tables have such a segment, and executes SYSCALL there.
void cx86_call_from_32_bits(void) __attribute__((noreturn));
/// RFLAGS.AC, with which ring 0 reaches ring 3's pages in spite of SMAP.
INSTRUCTION void cx86_set_alignment_check(void) { __asm__ volatile("pushfq; orl $0x40000, (%%rsp); popfq" ::: "memory", "cc"); }
INSTRUCTION void cx86_clear_alignment_check(void) { __asm__ volatile("pushfq; andl $~0x40000, (%%rsp); popfq" ::: "memory", "cc"); }
INSTRUCTION uint64_t cx86_flags(void) { uint64_t v; __asm__ volatile("pushfq; popq %0" : "=r"(v) :: "memory"); return v; }

// MARK: boot.S, trampoline.S

/// The 16-bit code that starts a core, and what it needs: copied to a page below 1 MiB.
ADDRESS(cx86_trampoline)
ADDRESS(cx86_trampoline_end)
/// The words of `cx86_trampoline_end - sizeof`, filled in before a core starts.
typedef struct {
  uint64_t pageTable, stackTop, launch, entry;
} cx86_trampoline_words;
/// Where a core goes on in 64-bit mode, by its address: `kernel_core_start`.
ADDRESS(cx86_core_entry)
/// The page tables of boot.S, which map the first 4 GiB in place as well: for cores on their way up.
ADDRESS(cx86_boot_page_table)

// MARK: link.ld of the kernel

ADDRESS(kernel_text_start)
ADDRESS(kernel_text_end)
ADDRESS(kernel_read_only_end)
ADDRESS(kernel_end)
#endif
