# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0
# stream.sh MEBIBYTES: writes that much. Each MiB begins with its number, so that none can stand for another, and goes on
# with numbers, so that no part of it can.
block=/tmp/roost-block.$$
seq 1000000 1200000 | head -c 1048567 >$block
i=0
while [ $i -lt "$1" ]; do
  printf '%08d\n' $i
  cat $block
  i=$((i + 1))
done
rm $block
