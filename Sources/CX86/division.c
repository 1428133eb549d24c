// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
//
// The division of 128 bits that the compiler calls for `dividingFullWidth`, bit by bit: nobody divides so in a hurry.

typedef unsigned __int128 wide;

wide __udivti3(wide dividend, wide divisor) {
  wide quotient = 0, rest = 0;
  for (int bit = 127; bit >= 0; bit--) {
    rest = rest << 1 | (dividend >> bit & 1);
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= (wide)1 << bit;
    }
  }
  return quotient;
}
