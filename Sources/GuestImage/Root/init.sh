#!/bin/sh
# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0
#
# Sets the machine up, then becomes busybox init, which keeps the login prompt alive (see inittab).
# Every process costs time at boot: shell built-ins where they do.

export PATH=/sbin:/bin:/usr/sbin:/usr/bin
/bin/busybox mount -t proc proc /proc # --install finds its own path there
/bin/busybox --install -s
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev

# From the segment that is appended to the initrd for each VM.
read -r name </etc/hostname && echo "$name" >/proc/sys/kernel/hostname

# The VM's own network cards come first: eth0 is on the virtual switch, whatever else is passed through.
grep -q 0x1af4 /sys/bus/pci/devices/*/vendor 2>/dev/null && modprobe -a virtio_pci virtio_net

# The drivers of whatever is there. A bus's driver brings new devices: look again until nothing is new.
known=
while aliases=$(sort -u /sys/bus/*/devices/*/modalias) && [ "$aliases" != "$known" ]; do
  # shellcheck disable=SC2086 # one word for each device
  modprobe -qa $aliases 2>/dev/null
  known=$aliases
done

ifconfig lo up
echo 4 >/proc/sys/kernel/printk # from here on only errors may interrupt the person who types

exec /sbin/init
