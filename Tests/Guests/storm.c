// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// storm FUNCTION COUNT: has QEMU's `edu` device (docs/specs/edu.rst), by its folder in /sys/bus/pci/devices, raise COUNT
// interrupts in a row. A program of Linux on i386 without any library.
typedef unsigned int u32;

enum { sysExit = 1, sysWrite = 4, sysOpen = 5, sysMmap = 192, raise = 0x60 };

static int call(int number, int a, int b, int c, int d, int e, int f) {
  int result;
  int frame[2] = {f, number};
  __asm__ volatile("push %%ebp; mov (%%eax), %%ebp; mov 4(%%eax), %%eax; int $0x80; pop %%ebp"
                   : "=a"(result) : "a"(frame), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}

static void end(const char *text) {
  int count = 0;
  while (text[count]) count++;
  call(sysWrite, 1, (int)text, count, 0, 0, 0);
  call(sysExit, 0, 0, 0, 0, 0, 0);
}

void begin(int *stack) {
  char **arguments = (char **)(stack + 1);
  if (stack[0] != 3) end("storm: cannot run without FUNCTION COUNT\n");
  char path[256];
  int at = 0;
  for (const char *text = arguments[1]; *text && at < 200; text++) path[at++] = *text;
  for (const char *text = "/resource0"; at < 250; text++) if (!(path[at++] = *text)) break;
  char *device = (char *)call(sysMmap, 0, 4096, 3, 1, call(sysOpen, (int)path, 2, 0, 0, 0, 0), 0);
  if ((u32)device >= 0xfffff000) end("storm: cannot map the device\n");
  u32 count = 0;
  for (const char *text = arguments[2]; *text; text++) count = 10 * count + *text - '0';
  for (; count > 0; count--) *(volatile u32 *)(device + raise) = 1;
  end("storm: over\n");
}
__asm__(".globl _start\n_start: mov %esp, %eax\n push %eax\n call begin");
