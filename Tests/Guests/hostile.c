// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// hostile FUNCTION SEED SECONDS: drives a virtio network card, by its folder in /sys/bus/pci/devices, as no driver may:
// random registers, rings, lengths, addresses, headers and resets in mid-flight. A program of Linux on i386 without any
// library. It has devices write to its own memory alone, so that its own system lives to see the end of it.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { pageSize = 4096, pages = 64, queueSize = 64, portsPerCard = 8 };
enum { sysExit = 1, sysRead = 3, sysWrite = 4, sysOpen = 5, sysTime = 13, sysIopl = 110, sysMlock = 150, sysPread = 180 };
enum { sysMmap = 192, sysYield = 158 };

static int call(int number, int a, int b, int c, int d, int e, int f) {
  int result;
  int frame[2] = {f, number};
  __asm__ volatile("push %%ebp; mov (%%eax), %%ebp; mov 4(%%eax), %%eax; int $0x80; pop %%ebp"
                   : "=a"(result) : "a"(frame), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}
static void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }

static u64 state;
static u32 any(void) {  // xorshift64*
  state ^= state >> 12; state ^= state << 25; state ^= state >> 27;
  return (u32)((state * 2685821657736338717ull) >> 32);
}
static u32 below(u32 limit) { return any() % limit; }
static int oneIn(u32 chances) { return below(chances) == 0; }

static volatile u8 *card;
static u16 port;
static u8 *memory;
static u32 physical[pages];
static u8 own[6];

static void write8(u32 at, u8 value) { card[at] = value; }
static void write16(u32 at, u16 value) { *(volatile u16 *)(card + at) = value; }
static void write32(u32 at, u32 value) { *(volatile u32 *)(card + at) = value; }
static u32 read32(u32 at) { return *(volatile u32 *)(card + at); }

// An address in a page of this program; now and then one outside memory, or a last byte that is.
static u64 address(int wild) {
  if (wild && oneIn(16)) {
    switch (below(4)) {
    case 0: return (u64)any() << below(32);
    case 1: return 0xffffffffffffffffull - below(70000);
    case 2: return 0xfee00000 + below(4096);
    default: return 0xfffffff0ull;
    }
  }
  return physical[below(pages)] + (wild ? below(64) : 0);
}

// A frame with its virtio header (virtio 1.2, 5.1.6), at the start of a page.
static void makeFrame(u8 *at) {
  for (int i = 0; i < 12; i++) at[i] = oneIn(3) ? any() : 0;
  for (int i = 12; i < 18; i++) at[i] = oneIn(4) ? 0xff : any();
  for (int i = 18; i < 24; i++) at[i] = oneIn(40) ? any() : own[i - 18];
  static const u16 types[] = {0x0008, 0x0608, 0xdd86, 0x0081};
  *(u16 *)(at + 24) = oneIn(5) ? any() : types[below(4)];
  at[26] = oneIn(2) ? 0x45 : any();
  for (int i = 27; i < 120; i++) at[i] = any();
}

static u32 length(int wild) {
  static const u32 lengths[] = {72, 1526, 60, 4096, 12, 13, 0, 65562, 0x7fffffff, 0xffffffff};
  return wild && oneIn(10) ? any() : lengths[below(wild ? 10 : 4)];
}

// The rings of one queue of 64 in one page: descriptors at 0, available ring at 1024, used ring at 2048.
static void makeQueue(u8 *page, int device_writes) {
  int wild = oneIn(2);
  for (int i = 0; i < queueSize; i++) {
    *(u64 *)(page + 16 * i) = address(wild);
    *(u32 *)(page + 16 * i + 8) = length(wild && oneIn(8));
    *(u16 *)(page + 16 * i + 12) = (wild && oneIn(8) ? any() & 7 : device_writes ? 2 : 0) | oneIn(8);
    *(u16 *)(page + 16 * i + 14) = below(wild ? queueSize + 1 : queueSize);
  }
  u16 *available = (u16 *)(page + 1024), *used = (u16 *)(page + 2048);
  available[0] = below(2);
  available[1] = wild && oneIn(4) ? any() : 1 + below(queueSize);
  for (int i = 0; i < queueSize + 1; i++) available[2 + i] = below(wild ? queueSize + 1 : queueSize);
  used[0] = used[1] = 0;
}

static void setUp(int number, int page) {
  u32 place = oneIn(20) ? any() : physical[page];
  makeQueue(memory + page * pageSize, number == 0);
  write16(22, number);
  write16(24, oneIn(16) ? any() : queueSize);
  write16(26, any() & 3);
  write32(32, place); write32(36, oneIn(40) ? any() : 0);
  write32(40, place + (oneIn(40) ? below(4096) : 1024)); write32(44, 0);
  write32(48, place + (oneIn(40) ? below(4096) : 2048)); write32(52, 0);
  write16(28, 1);
}

// Sets a card up, nearly as it should be, and then spoils it while it is in use.
static void life(void) {
  write8(20, 0);
  if (!oneIn(4)) while (card[20] != 0) {}
  write8(20, 1); write8(20, 3);
  write32(0, 0); write32(8, 0); write32(12, read32(4) & (any() | 0x20008000));
  write32(0, 1); write32(8, 1); write32(12, read32(4) & (any() | 1));
  write8(20, 11);
  for (int page = 2; page < pages; page++) if (oneIn(4)) makeFrame(memory + page * pageSize);
  setUp(0, 0); setUp(1, 1);
  if (oneIn(2)) setUp(2, 2);
  write8(20, 15);
  for (u32 turns = below(40); turns > 0; turns--) {
    outw(port + 2 * below(portsPerCard), any());
    u16 *available = (u16 *)(memory + below(2) * pageSize + 1024);
    available[1] += oneIn(20) ? any() : below(8);
    if (oneIn(4)) memory[below(2 * pageSize)] = any();
    if (oneIn(8)) write32(4 * below(pageSize / 4), any());
    if (oneIn(20)) write16(2 * below(28), any());
    if (oneIn(4)) call(sysYield, 0, 0, 0, 0, 0, 0);
  }
}

static void say(const char *text) {
  int count = 0;
  while (text[count]) count++;
  call(sysWrite, 1, (int)text, count, 0, 0, 0);
}
static void need(int condition, const char *what) {
  if (condition) return;
  say("hostile: cannot "); say(what); say("\n");
  call(sysExit, 1, 0, 0, 0, 0, 0);
}
static u32 number(const char *text, u32 base) {
  u32 value = 0;
  for (; *text && *text != '\n' && *text != ' '; text++) value = value * base + (*text <= '9' ? *text - '0' : *text - 'a' + 10);
  return value;
}
// Opens FOLDER/NAME.
static int openIn(const char *folder, const char *name, int flags) {
  char path[256];
  int at = 0;
  while (*folder && at < 200) path[at++] = *folder++;
  path[at++] = '/';
  while (*name) path[at++] = *name++;
  path[at] = 0;
  return call(sysOpen, (int)path, flags, 0, 0, 0, 0);
}

static void findCard(const char *folder) {
  static char text[64];
  int file = openIn(folder, "resource", 0);
  need(file >= 0 && call(sysRead, file, (int)text, 18, 0, 0, 0) == 18, "read its ranges");
  port = number(text + 2, 16);
  card = (u8 *)call(sysMmap, 0, pageSize, 3, 1, openIn(folder, "resource1", 2), 0);
  need((u32)card < 0xfffff000, "map its registers");
  for (int i = 0; i < 6; i++) own[i] = card[0x400 + i];
}

static void findMemory(void) {
  memory = (u8 *)call(sysMmap, 0, pages * pageSize, 3, 0x22, -1, 0);
  need((u32)memory < 0xfffff000, "have memory");
  for (int i = 0; i < pages; i++) memory[i * pageSize] = 1;
  call(sysMlock, (int)memory, pages * pageSize, 0, 0, 0, 0);
  int map = openIn("/proc/self", "pagemap", 0);
  for (int i = 0; i < pages; i++) {
    u64 entry = 0;
    u64 offset = ((u64)((u32)memory / pageSize) + i) * 8;
    need(call(sysPread, map, (int)&entry, 8, (int)offset, (int)(offset >> 32), 0) == 8 && entry & 0xfffff, "find memory");
    physical[i] = (u32)entry * pageSize;
  }
}

void begin(int *stack) {
  char **arguments = (char **)(stack + 1);
  need(stack[0] == 4, "run without FUNCTION SEED SECONDS");
  state = 0x9e3779b97f4a7c15ull + number(arguments[2], 10);
  need(call(sysIopl, 3, 0, 0, 0, 0, 0) == 0, "use ports");
  findMemory();
  findCard(arguments[1]);
  u32 end = call(sysTime, 0, 0, 0, 0, 0, 0) + number(arguments[3], 10);
  say("hostile: begins\n");
  u32 lives = 0;
  for (; (u32)call(sysTime, 0, 0, 0, 0, 0, 0) < end; lives++) life();
  static char text[] = "hostile: 0000000 lives\n";
  for (int i = 15; lives > 0 && i > 8; i--, lives /= 10) text[i] = '0' + lives % 10;
  write8(20, 0);
  say(text);
  call(sysExit, 0, 0, 0, 0, 0, 0);
}
__asm__(".globl _start\n_start: mov %esp, %eax\n push %eax\n call begin");
