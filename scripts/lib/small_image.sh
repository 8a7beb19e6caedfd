# Sourced by scripts/build-image --small, between the root folder and its file system:
# makes a smaller copy of $root and goes on with that, into $out/small.
[ -s "$out/vmlinuz" ] || cp "$root/boot/vmlinuz-$version" "$out/vmlinuz"
[ -s "$out/kver" ] || echo "$version" >"$out/kver"
whole=$root
out=$out/small
root=$out/root
root_mib=${NIMBUS_IMAGE_MIB:-144}
say "build-image: a smaller copy"
rm -rf "$root"
mkdir -p "$root"
tar -C "$whole" --exclude='./usr/lib/modules/*' --exclude='./boot/*' --exclude='./usr/lib/python3*' \
  --exclude='./usr/lib/x86_64-linux-gnu/perl/*' --exclude='./usr/lib/x86_64-linux-gnu/libperl*' \
  --exclude='./usr/lib/x86_64-linux-gnu/gconv' --exclude='./usr/share/perl/*' --exclude='./usr/share/zoneinfo' \
  --exclude='./usr/share/doc' --exclude='./usr/share/info' --exclude='./usr/bin/python3*' --exclude='./usr/bin/perl5*' \
  --exclude='./usr/bin/cloud*' --exclude='./etc/systemd/system/cloud*' --exclude='./usr/lib/systemd/system/cloud*' \
  --exclude='./usr/lib/systemd/system-generators/cloud*' --exclude='./var/lib/dpkg/*' --exclude='./var/cache/*' \
  --exclude='./etc/systemd/system/multi-user.target.wants/cloud*' --exclude='./var/lib/apt/*' \
  --exclude='./usr/lib/udev/hwdb*' --exclude='./usr/share/i18n' --exclude='./usr/bin/perl' --exclude='./usr/lib/x86_64-linux-gnu/perl-base' \
  --exclude='./usr/lib/apt' --exclude='./usr/share/locale' --exclude='./usr/share/bash-completion' --exclude='./var/log/*' \
  -cf - . | tar -C "$root" -xf -

# --- an initial ramdisk with the four modules that find the root file system ----
tree=$out/initrd
rm -rf "$tree"
mkdir -p "$tree"/{bin,dev,proc,sys,root,modules} "$root/boot" "$root/lib/modules/$version"
cp "$whole/boot/vmlinuz-$version" "$root/boot/"
cp "$whole/bin/busybox" "$tree/bin/"
for library in $(ldd "$whole/bin/busybox" 2>/dev/null | grep -o '/[^ ]*'); do
  mkdir -p "$tree$(dirname "$library")"
  cp -L "$whole$library" "$tree$library"
done
number=10
for module in virtio_pci virtio_blk virtio_net; do
  modprobe -d "$whole" -S "$version" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" {print $2}'
done | awk '!seen[$0]++' | while read -r file; do
  cp "$file" "$tree/modules/$number-$(basename "$file")"
  number=$((number + 1))
done
cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do /bin/busybox insmod "$module"; done
tries=0
until [ -b /dev/vda3 ] || [ $tries -ge 100 ]; do
  /bin/busybox sleep 0.1
  tries=$((tries + 1))
done
/bin/busybox mount -t ext4 -o noatime /dev/vda3 /root
/bin/busybox mount --move /dev /root/dev
/bin/busybox umount /sys /proc
exec /bin/busybox switch_root /root /lib/systemd/systemd
INIT
chmod 755 "$tree/init"
initrd=/boot/initrd.img
(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --owner 0:0) | zstd -q -9 >"$root$initrd"

# --- what cloud-init does in the other image, as far as a test looks at it ------
mkdir -p "$root/etc/systemd/network" "$root/usr/local/sbin" "$root/var/lib/dpkg"
printf '[Match]\nType=ether\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n[DHCPv4]\nClientIdentifier=mac\n' \
  >"$root/etc/systemd/network/90-dhcp.network"
cat >"$root/usr/local/sbin/nimbus-seed" <<'SEED'
#!/bin/sh
# Host name, host key, user and keys of the seed, which is JSON on one line.
set -eu
seed=/var/lib/cloud/seed/nocloud
value() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$seed/$2"; }
name=$(value local-hostname meta-data)
echo "$name" >/etc/hostname
hostname "$name"
umask 077
value ed25519_private vendor-data | sed 's/\\n/\n/g' >/etc/ssh/ssh_host_ed25519_key
user=$(value name vendor-data)
id "$user" >/dev/null 2>&1 || useradd -m -s /bin/bash "$user"
home=$(getent passwd "$user" | cut -d: -f6)
mkdir -p "$home/.ssh"
sed -n 's/.*"ssh_authorized_keys": *\[\([^]]*\)\].*/\1/p' "$seed/vendor-data" |
  sed 's/", *"/\n/g; s/"//g' >"$home/.ssh/authorized_keys"
chown -R "$user:" "$home/.ssh"
touch /var/lib/nimbus-seed.done
SEED
chmod 755 "$root/usr/local/sbin/nimbus-seed"
cat >"$root/etc/systemd/system/nimbus-seed.service" <<'UNIT'
[Unit]
Description=What the installer left
ConditionPathExists=!/var/lib/nimbus-seed.done
DefaultDependencies=no
After=local-fs.target
Before=ssh.service network-pre.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/nimbus-seed
[Install]
WantedBy=multi-user.target
UNIT
for unit in systemd-resolved systemd-timesyncd serial-getty@ttyS0 getty.target systemd-logind dbus dbus.socket apt-daily.timer \
  apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer systemd-update-utmp systemd-random-seed \
  systemd-journal-flush systemd-pstore dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount; do
  chroot "$root" systemctl mask "$unit" >/dev/null 2>&1 || true
done
chroot "$root" systemctl enable nimbus-seed >/dev/null 2>&1
chroot "$root" systemctl set-default multi-user.target >/dev/null 2>&1
