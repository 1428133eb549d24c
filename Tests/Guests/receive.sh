#!/bin/sh
# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0

# receive.sh ADDRESS: has the network card in slot 2 (e1000e) write eight frames to guest address ADDRESS and on, a page
# each, by descriptors of our own. It asks for 10.0.2.2 eight times; the answers are the frames. Everything else is below
# 1 MiB, which Linux leaves alone: two rings, and the question.
receive_ring=0x20000 send_ring=0x21000 question=0x22000
device=/sys/bus/pci/devices/0000:00:02.0
[ -e $device/driver ] && echo 0000:00:02.0 >$device/driver/unbind
printf '\006' | dd of=$device/config bs=1 seek=4 conv=notrunc 2>/dev/null
base=$(cut -d' ' -f1 $device/resource | head -n1)
memory() { devmem "$1" 32 "$2"; }
register() { devmem $((base + $1)) 32 "$2"; }

# Receiving and sending stop before their rings change.
register 0x100 0
register 0x400 0
# An ARP request, from 52:54:00:12:34:56 at 10.0.2.15 to all.
place=$((question))
for word in 0xffffffff 0x5452ffff 0x56341200 0x01000608 0x04060008 0x54520100 0x56341200 0x0f02000a 0 0x000a0000 \
  0x00000202 0 0 0 0; do
  memory $place $word
  place=$((place + 4))
done
number=0
while [ $number -lt 8 ]; do
  place=$((receive_ring + 16 * number))
  memory $place $(($1 + 4096 * number))
  for offset in 4 8 12; do memory $((place + offset)) 0; done
  place=$((send_ring + 16 * number))
  memory $place $question
  memory $((place + 4)) 0
  # 60 bytes, a whole frame, with its checksum and a report.
  memory $((place + 8)) 0x0b00003c
  memory $((place + 12)) 0
  number=$((number + 1))
done
# Rings of 16 places, of which eight are used; plain descriptors, buffers of 2 KiB, all frames.
register 0x5008 0
for ring in "0x2800 $receive_ring" "0x3800 $send_ring"; do
  # shellcheck disable=SC2086 # two words
  set -- $ring
  register "$1" "$2"
  register $(($1 + 4)) 0
  register $(($1 + 8)) 256
  register $(($1 + 16)) 0
  register $(($1 + 24)) 0
done
register 0x100 0x0400801a
register 0x2818 8
register 0x400 0x3f0fa
register 0x3818 8
# Until all eight have come.
until [ $(($(devmem $((base + 0x2810))))) = 8 ]; do sleep 0.2; done
echo received
