// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Emulator

struct MemorySizeTests {
  @Test(arguments: [("8 GiB", 8192), ("8G", 8192), ("512MiB", 512), ("1900 MiB", 1900), ("64", 64), ("64M", 64)])
  func `sizes are read as people write them`(text: String, mebibytes: Int) {
    #expect(MemorySize(text)?.mebibytes == mebibytes)
  }

  @Test(arguments: ["", "GiB", "0", "-1", "1.5 GiB", "8 GB", "8 gib", "99999999999999999999", "2000000 GiB", "٣"])
  func `what is no size is refused`(text: String) {
    #expect(MemorySize(text) == nil)
  }
}
