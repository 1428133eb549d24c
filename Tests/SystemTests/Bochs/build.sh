#!/bin/sh
# SPDX-FileCopyrightText: The Roost authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: build.sh FOLDER    puts Bochs 3.0 with strict.patch into FOLDER/bochs, from Debian's source package.
# It takes some minutes, once for each patch. apt's own configuration and lists are not touched.
set -eu
patch=$(dirname "$(realpath "$0")")/strict.patch
mkdir -p "$1/lists/partial"
cd "$1"
if [ -x bochs ] && cmp -s "$patch" built.patch; then exit 0; fi
for tool in g++ make patch xz; do
  command -v $tool >/dev/null || { echo "$tool is needed to build Bochs: apt-get install g++ make patch xz-utils" >&2; exit 1; }
done
mirror=$(apt-get indextargets --format '$(SITE) $(LABEL)' 'Identifier: Packages' | sed -n 's/ Debian$//p' | head -1)
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources.list
set -- -qq -oDir::Etc::SourceList="$PWD/sources.list" -oDir::Etc::SourceParts=/dev/null \
  -oDir::State::Lists="$PWD/lists" -oAPT::Sandbox::User=root
apt-get "$@" update
apt-get "$@" source --download-only --tar-only bochs=3.0+dfsg-1
rm -rf source
mkdir source
tar -C source --strip-components 1 -xf bochs_3.0+dfsg.orig.tar.xz
patch -d source -p1 <"$patch"
(
  cd source
  ./configure --enable-vmx=2 --enable-smp --enable-x86-64 --enable-avx --enable-evex --enable-protection-keys \
    --enable-all-optimizations --disable-debugger --disable-docbook --with-nogui
  nice make -j2
) >build.log 2>&1 || { tail build.log >&2; exit 1; }
cp source/bochs bochs
rm -rf source
cp "$patch" built.patch
