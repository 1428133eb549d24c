# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0
# traffic.sh N SECONDS: the VM with 192.168.1.N sends TCP, small and large pings, broadcasts and multicasts to all.
me=$1 seconds=$2
nc -ll -p 6000 -e dd of=/dev/null bs=64k iflag=fullblock count=32 2>/dev/null &
server=$!
sleep 3
read -r now _ </proc/uptime
end=$((${now%.*} + seconds)) streams=0
for peer in 1 2 3 4; do
  [ $peer = "$me" ] && continue
  ping -q -w "$seconds" -i 0.2 -s 0 192.168.1.$peer &
  ping -q -w "$seconds" -i 0.2 -s 1472 192.168.1.$peer &
  ping -q -w "$seconds" -i 1 -s 20000 192.168.1.$peer &
done >/dev/null
ping -q -w "$seconds" -i 0.5 192.168.1.255 >/dev/null &
ping -q -w "$seconds" -i 0.5 ff02::1%eth0 >/dev/null &
while [ "${now%.*}" -lt $end ]; do
  for peer in 1 2 3 4; do
    [ $peer = "$me" ] && continue
    # The other side hangs up when it has all.
    nc 192.168.1.$peer 6000 -e sh -c 'dd if=/dev/zero bs=64k count=32; cat' 2>/dev/null && streams=$((streams + 1))
  done
  read -r now _ </proc/uptime
done
# Others may be in the middle of a last stream to this VM.
sleep 10
kill $server
echo "done: $streams streams"
