// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// A plugin for QEMU's TCG that counts executed instructions: those of guests, of the hypervisor's kernel, of its VMM,
// and of everything else, and for each exit what came between it and the next entry. Whoever runs QEMU reads the
// counters from a file while it runs. Arguments: counters=PATH kernel=ADDRESS [vmm=ELF] [pages=on].
//
// A processor is in a guest from the block that ends with VMRUN to the block that begins behind it: there the processor
// goes on after an exit. An instruction outside guests is the kernel's from `kernel` on; below, it is the VMM's if its
// bytes stand at its address in `vmm` (all components are linked to the same place), and without `vmm` always.
//
// QEMU 7.2 forgets all translated addresses, and where the blocks behind addresses are, at each entry and exit, as it
// does when CR3 is loaded. Counted is therefore also what is then needed for the first time again: blocks, and with
// `pages=on`, which takes long, pages.
//
// Counted are blocks as they begin, with all their instructions. A block that an exception or an exit ends early counts
// whole: in hypervisors those are few, and in guests as many on any computer.
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// QEMU's interface to plugins (QEMU 7.2, TCG Plugins, API version 1), as far as it is used: Debian ships no header.
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { noRegisters, readsAndWrites = 3 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int flags, void *);
void qemu_plugin_register_vcpu_mem_cb(
    struct qemu_plugin_insn *, void (*)(unsigned, uint32_t, uint64_t, void *), int flags, int directions, void *);
void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

enum { coreCapacity = 8, exitCapacity = 1 << 16, pageCapacity = 1 << 12 };
enum owner { kernel, vmm, others, guest, ownerCount };

// What the file holds; `Counting.swift` reads it.
struct exit {
  uint64_t address;                // where the guest's last block before the exit began
  uint64_t counts[3];              // instructions until the next entry, by owner
};
static struct counters {
  struct core {
    uint64_t instructions[ownerCount];
    uint64_t exits;
    uint64_t halts;                // of the machine's own processor
    uint64_t flushes;              // entries, exits and new CR3s
    uint64_t lookups;              // blocks begun for the first time since a flush
    uint64_t pages;                // likewise pages read, written or executed
  } cores[coreCapacity];
  uint64_t translations;           // blocks that were translated
  uint64_t exitCount;              // of all, the last `exitCapacity` of which are in `exits`
  struct exit exits[exitCapacity];
} *counters;

// What is known of a block once it is translated.
struct block {
  uint64_t address;
  uint64_t behindEntry;            // the address behind its VMRUN; 0 if it has none
  uint32_t size;                   // in instructions
  enum owner owner;                // outside guests
  bool loadsCR3;
  uint64_t lastFlush[coreCapacity];
};

static struct state {
  bool isInGuest;
  uint64_t behindEntry;
  uint64_t lastAddress;
  uint64_t atExit[3];
  struct { uint64_t page, lastFlush; } pages[pageCapacity];
} states[coreCapacity];

static uint64_t kernelStart;
static const uint8_t *program;
static size_t programSize;
static bool countsPages;

static bool isInProgram(uint64_t address, const void *bytes, size_t size) {
  const Elf64_Ehdr *head = (const void *)program;
  const Elf64_Phdr *parts = (const void *)(program + head->e_phoff);
  for (int i = 0; i < head->e_phnum; i++) {
    if (parts[i].p_type != PT_LOAD || !(parts[i].p_flags & PF_X)) continue;
    uint64_t offset = address - parts[i].p_vaddr;
    if (offset < parts[i].p_filesz && size <= parts[i].p_filesz - offset)
      return memcmp(program + parts[i].p_offset + offset, bytes, size) == 0;
  }
  return false;
}

static void beginExit(struct core *core, struct state *state) {
  state->isInGuest = false;
  core->flushes++;
  core->exits++;
  memcpy(state->atExit, core->instructions, sizeof state->atExit);
}

static void endExit(struct core *core, struct state *state) {
  if (state->behindEntry) {
    struct exit exit = {.address = state->lastAddress};
    for (int i = 0; i < 3; i++) exit.counts[i] = core->instructions[i] - state->atExit[i];
    counters->exits[__atomic_fetch_add(&counters->exitCount, 1, __ATOMIC_RELAXED) % exitCapacity] = exit;
  }
  state->isInGuest = true;
  core->flushes++;
}

static void touched(unsigned index, uint32_t information, uint64_t address, void *data) {
  (void)information, (void)data;
  struct core *core = &counters->cores[index % coreCapacity];
  struct state *state = &states[index % coreCapacity];
  uint64_t page = address >> 12;
  uint64_t place = page % pageCapacity;
  if (state->pages[place].page == page && state->pages[place].lastFlush == core->flushes) return;
  state->pages[place].page = page;
  state->pages[place].lastFlush = core->flushes;
  core->pages++;
}

static void executed(unsigned index, void *data) {
  index %= coreCapacity;
  struct block *block = data;
  struct core *core = &counters->cores[index];
  struct state *state = &states[index];
  if (state->isInGuest && block->address == state->behindEntry) beginExit(core, state);
  if (block->lastFlush[index] != core->flushes) {
    block->lastFlush[index] = core->flushes;
    core->lookups++;
    if (countsPages) touched(index, 0, block->address, NULL);
  }
  core->flushes += block->loadsCR3;
  core->instructions[state->isInGuest ? guest : block->owner] += block->size;
  if (state->isInGuest) {
    state->lastAddress = block->address;
  } else if (block->behindEntry) {
    endExit(core, state);
    state->behindEntry = block->behindEntry;
  }
}

static enum owner ownerOf(uint64_t address, const void *bytes, size_t size) {
  return address >= kernelStart ? kernel : !program || isInProgram(address, bytes, size) ? vmm : others;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  struct block *block = calloc(1, sizeof *block);
  if (!block) abort();
  uint64_t address = block->address = qemu_plugin_tb_vaddr(tb);
  block->size = (uint32_t)qemu_plugin_tb_n_insns(tb);
  for (size_t i = 0; i < block->size; i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
    const uint8_t *bytes = qemu_plugin_insn_data(instruction);
    size_t size = qemu_plugin_insn_size(instruction);
    enum owner owner = ownerOf(address, bytes, size);
    if (i == 0 || owner == others) block->owner = owner;
    address += size;
    if (size == 3 && !memcmp(bytes, "\x0f\x01\xd8", 3)) block->behindEntry = address;
    if (size == 3 && !memcmp(bytes, "\x0f\x22", 2) && (bytes[2] >> 3 & 7) == 3) block->loadsCR3 = true;
    if (countsPages) qemu_plugin_register_vcpu_mem_cb(instruction, touched, noRegisters, readsAndWrites, NULL);
  }
  qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, noRegisters, block);
  __atomic_fetch_add(&counters->translations, 1, __ATOMIC_RELAXED);
}

static void halted(qemu_plugin_id_t id, unsigned index) {
  (void)id;
  counters->cores[index % coreCapacity].halts++;
}

static void *map(const char *path, int flags, int protection, size_t *size) {
  int file = open(path, flags, 0600);
  if (file < 0 || (flags & O_CREAT && ftruncate(file, (off_t)*size) != 0)) return NULL;
  *size = (size_t)lseek(file, 0, SEEK_END);
  void *start = mmap(NULL, *size, protection, MAP_SHARED, file, 0);
  close(file);
  return start == MAP_FAILED ? NULL : start;
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *information, int count, char **arguments) {
  (void)information;
  size_t size = sizeof *counters;
  for (int i = 0; i < count; i++) {
    char *value = strchr(arguments[i], '=');
    if (!value++) return -1;
    if (!strncmp(arguments[i], "counters=", 9)) counters = map(value, O_RDWR | O_CREAT, PROT_READ | PROT_WRITE, &size);
    if (!strcmp(arguments[i], "pages=on")) countsPages = true;
    if (!strncmp(arguments[i], "kernel=", 7)) kernelStart = strtoull(value, NULL, 0);
    if (!strncmp(arguments[i], "vmm=", 4) && !(program = map(value, O_RDONLY, PROT_READ, &programSize))) return -1;
  }
  if (!counters) return -1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_idle_cb(id, halted);
  return 0;
}
