// Packages on a root itself, where its apt finds them and nothing else.
#pragma once

namespace nimbus::test {

/// Run on a root: t-one 1.0 and 1.1, t-two 1.0, t-conf 1.0 and 1.1 with a file that may be edited, and
/// t-killed 1.0, which kills the first dpkg that configures it. Their lists were never fetched then.
inline constexpr const char* kRepository = R"SH(
mkdir -p /srv/repo && cd /srv/repo
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
make() {
  d=/tmp/deb; rm -rf $d; mkdir -p $d/DEBIAN $d/etc $d/usr/share/$1
  echo $1 >$d/usr/share/$1/file # one without a file of its own would disappear
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: t\n' $1 $2 >$d/DEBIAN/control
  case $1 in
    t-conf) echo "default $2" >$d/etc/t-conf; echo /etc/t-conf >$d/DEBIAN/conffiles ;;
    t-killed) printf '#!/bin/sh\n[ -e /once ] || { touch /once; kill -9 0; }\n' >$d/DEBIAN/postinst; chmod 755 $d/DEBIAN/postinst ;;
  esac
  dpkg-deb -b $d $1_$2.deb >/dev/null
}
make t-one 1.0; make t-one 1.1; make t-two 1.0; make t-conf 1.0; make t-conf 1.1; make t-killed 1.0
for f in *.deb; do
  dpkg-deb -f $f; printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' $f $(stat -c %s $f) $(sha256sum <$f | cut -d' ' -f1)
done >Packages
)SH";

}  // namespace nimbus::test
