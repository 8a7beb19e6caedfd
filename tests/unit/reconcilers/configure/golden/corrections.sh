# level
# package:chrony
apt_is 'chrony' 'any' || {
  [ "$(last "$batch")" != 75 ] || { printf '%s\n' "$batch"; exit 75; }
  apt_install install -- 'chrony' || exit
}
apt_is 'chrony' 'any' || fail 'apt-get did not do it'
# package:nginx
apt_is 'nginx' '1.22.1-9' || {
  [ "$(last "$batch")" != 75 ] || { printf '%s\n' "$batch"; exit 75; }
  apt_install --allow-downgrades install -- 'nginx=1.22.1-9' || exit
}
apt_is 'nginx' '1.22.1-9' || fail 'apt-get did not do it'
apt-mark hold 'nginx'
# package:telnet
apt_is 'telnet' 'absent' || {
  [ "$(last "$batch")" != 75 ] || { printf '%s\n' "$batch"; exit 75; }
  apt_install install -- 'telnet-' || exit
}
apt_is 'telnet' 'absent' || fail 'apt-get did not do it'
# level
# group:wheel
if known group 'wheel'; then
  groupmod -g 2000 'wheel'
elif have groupadd; then groupadd -g 2000 'wheel'; else addgroup -g 2000 'wheel'; fi
# user:mallory
! known passwd 'mallory' || if have userdel; then userdel 'mallory'; else deluser 'mallory'; fi
# level
# group:oldies
! known group 'oldies' || if have groupdel; then groupdel 'oldies'; else delgroup 'oldies'; fi
# level
# user:deploy
if known passwd 'deploy'; then
  if have usermod; then usermod -u 1500 -s '/bin/bash' -a -G 'wheel' 'deploy'; else : && addgroup 'deploy' 'wheel'; fi
elif have useradd; then
  g=; ! known group 'deploy' || g='-g ''deploy'
  useradd -m -p '*' -u 1500 -s '/bin/bash' -G 'wheel' $g 'deploy'
elif have adduser; then
  adduser -D -u 1500 -s '/bin/bash' 'deploy' && addgroup 'deploy' 'wheel'
else fail 'there is no useradd'
fi || exit 1
{ printf %s 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa alice@example
'; } | su -s /bin/sh 'deploy' -c 'umask 077; cd && mkdir -p .ssh && cd .ssh && chmod 700 . && { cat; } >.nimbus-new && chmod 600 .nimbus-new && mv -f .nimbus-new authorized_keys' || fail 'cannot write authorized_keys'
# level
# mount:/srv/da ta
[ -d '/srv/da ta' ] || mkdir -p '/srv/da ta' || exit 1
mount -t 'ext4' -o 'noatime' -- 'UUID=0a1b' '/srv/da ta' || exit 1
fstab_set 2 '/srv/da\040ta' 'UUID=0a1b /srv/da\040ta ext4 noatime 0 0'
# level
# directory:/etc/app
into '/etc'
[ ! -L './app' ] && { [ -d './app' ] || [ ! -e './app' ]; } || fail 'something else is in the way'
[ -d './app' ] || mkdir -m 700 './app' || exit 1
cd './app' && [ "$(pwd -P)" = "${here%/}/"'app' ] || fail 'something else is in the way'
chown 'deploy:wheel' . && chmod '00750' .
# directory:/srv/gone
[ ! -d '/srv/gone' ] || { into '/srv'; rmdir './gone'; }
# level
# block:/etc/hosts#hosts
work_in '/etc' b86a257690ffa931
[ ! -L '../hosts' ] || fail 'it is a link: declare the file that it points to'
(umask 077; 67 bytes between markers >./.lines) || fail 'cannot write: is the disk full?'
if [ -f '../hosts' ]; then
  cp -p '../hosts' './hosts' && b=$(grep -c -x -F -e '# nimbus:hosts begin' '../hosts'); e=$(grep -c -x -F -e '# nimbus:hosts end' '../hosts')
  if [ "$b$e" = 11 ] && [ "$(sed -n '/^# nimbus:hosts begin$/,/^# nimbus:hosts end$/p' '../hosts' | tail -n 1)" = '# nimbus:hosts end' ]; then
    sed -e '/^# nimbus:hosts begin$/r ./.lines' -e '/^# nimbus:hosts begin$/,/^# nimbus:hosts end$/d' '../hosts' >'./hosts' || exit 1
  elif [ "$b$e" = 00 ]; then
    { cat '../hosts' && { [ -z "$(tail -c 1 '../hosts')" ] || echo; } && cat ./.lines; } >'./hosts' || fail 'cannot write: is the disk full?'
  else fail 'the markers of the block are damaged: a person must look'
  fi
else
  cat ./.lines >'./hosts' && chmod 644 './hosts' || exit 1
fi
go_live 'hosts'
# file:/etc/app/token
recover '/etc/app' 8aa5746c9b51d33a 'token' 'file:%2fetc%2fapp%2ftoken'
work_in '/etc/app' 8aa5746c9b51d33a 'file:%2fetc%2fapp%2ftoken'
(umask 077; the secret) || fail 'cannot write the new file: is the disk full?'
holds ./'token' '6bc2b23747fb382ca842fe000fb479c34a989b5f5b9c535a16398b2817f663e8' || fail 'the new file was not written whole: is the disk full?'
chown -h 'root:root' './token' && chmod '0400' './token' || exit 1
durable './token'
go_live 'token'
# file:/etc/checked
recover '/etc' 7625bf622c3bfff2 'checked' 'file:%2fetc%2fchecked'
work_in '/etc' 7625bf622c3bfff2 'file:%2fetc%2fchecked'
(umask 077; 2 bytes of content) || fail 'cannot write the new file: is the disk full?'
holds ./'checked' '73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac' || fail 'the new file was not written whole: is the disk full?'
chown -h 'root:root' './checked' && chmod '0644' './checked' || exit 1
durable './checked'
[ ! -e ../'checked' ] || ln ../'checked' ./.old || exit 1
note 'file:%2fetc%2fchecked'
go_live 'checked'
(cd / && sh -c 'check --all') || {
  if [ -e ./.old ]; then mv -f ./.old ../'checked'; else rm -f ../'checked'; fi || exit 1
  settled 'file:%2fetc%2fchecked'
  fail 'the validation failed: what was there before is back'
}
settled 'file:%2fetc%2fchecked'
# file:/etc/netplan/60-nimbus.yaml
recover '/etc/netplan' 3f1cb6017e852ba0 '60-nimbus.yaml' 'file:%2fetc%2fnetplan%2f60-nimbus.yaml'
work_in '/etc/netplan' 3f1cb6017e852ba0 'file:%2fetc%2fnetplan%2f60-nimbus.yaml'
(umask 077; 12 bytes of content) || fail 'cannot write the new file: is the disk full?'
holds ./'60-nimbus.yaml' '169d2d0f4409f254793e7092697c0eae4e30a3ef0ac7573fff6e9686f41f76af' || fail 'the new file was not written whole: is the disk full?'
chown -h 'root:root' './60-nimbus.yaml' && chmod '0600' './60-nimbus.yaml' || exit 1
durable './60-nimbus.yaml'
note 'action:network'
save_old 'action:network' 3f1cb6017e852ba0 '/etc/netplan/60-nimbus.yaml'
go_live '60-nimbus.yaml'
# file:/etc/nginx/it's $HOME; "x".conf
recover '/etc/nginx' 6728c664da11eb23 'it'\''s $HOME; "x".conf' 'file:%2fetc%2fnginx%2fit%27s%20%24HOME%3b%20%22x%22.conf'
work_in '/etc/nginx' 6728c664da11eb23 'file:%2fetc%2fnginx%2fit%27s%20%24HOME%3b%20%22x%22.conf'
(umask 077; 17 bytes of content) || fail 'cannot write the new file: is the disk full?'
holds ./'it'\''s $HOME; "x".conf' 'ab7acdeb47c8fd3dc08721ce1f4712b41053cc1b659062b6ead602c2ebedaf77' || fail 'the new file was not written whole: is the disk full?'
chown -h 'root:root' './it'\''s $HOME; "x".conf' && chmod '0644' './it'\''s $HOME; "x".conf' || exit 1
durable './it'\''s $HOME; "x".conf'
(cd / && sh -c 'nginx -t -c '\''/etc/nginx/.nimbus-6728c664da11eb23/it'\''\'\'''\''s $HOME; "x".conf'\''') || fail 'the new file does not pass its validation: nothing changed'
note 'unit:nginx.service'
go_live 'it'\''s $HOME; "x".conf'
# file:/etc/old
recover '/etc' ef484ea25c048172 'old' 'file:%2fetc%2fold'
into '/etc'
rm -f './old'
# hostname
if [ -d /run/systemd/system ] && have hostnamectl; then
  hostnamectl set-hostname 'web-1'
else
  (work_in /etc hostname && printf '%s\n' 'web-1' >./hostname && chmod 644 ./hostname && go_live hostname) &&
  printf '%s\n' 'web-1' >/proc/sys/kernel/hostname
fi
# link:/etc/alias
work_in '/etc' 02a593aa7dfa2b73
ln -s -- '/etc/app' './alias' || exit 1
go_live 'alias'
# locale
f=locale.conf d=/etc; [ ! -f /etc/debian_version ] || f=locale d=/etc/default
work_in $d locale
{ [ ! -f ../$f ] || grep -v '^LANG=' ../$f; printf 'LANG=%s\n' 'C.UTF-8'; } >./$f || exit 1
chmod 644 ./$f && go_live $f
# module:nf-tables
modprobe -- 'nf-tables'
# timezone
[ -f '/usr/share/zoneinfo/Etc/UTC' ] || fail 'there is no such time zone: is tzdata installed?'
(work_in /etc localtime && ln -s '/usr/share/zoneinfo/Etc/UTC' ./localtime && go_live localtime) || exit 1
[ ! -f /etc/timezone ] || (work_in /etc timezone && printf '%s\n' 'Etc/UTC' >./timezone && go_live timezone)
# level
# owned-files:/etc/sudoers.d/nimbus-
for f in '/etc/sudoers.d'/'nimbus-'*; do
case $f in '/etc/sudoers.d/nimbus-deploy') continue ;; esac
[ -L "$f" ] || [ -f "$f" ] || continue
rm -f "$f" || exit 1
done
# swap:/swapfile
t='/swapfile.nimbus-new'; trap 'rm -f "$t"' EXIT
rm -f '/swapfile.nimbus-new'; (umask 077; fallocate -l 64M '/swapfile.nimbus-new' 2>/dev/null || dd if=/dev/zero of='/swapfile.nimbus-new' bs=1M count=64 2>&1) || fail 'there is no room for it'
mkswap '/swapfile.nimbus-new' >/dev/null && mv -f '/swapfile.nimbus-new' '/swapfile' && swapon '/swapfile' || exit 1
fstab_set 1 '/swapfile' '/swapfile none swap sw 0 0'
# sysctl:net.core.somaxconn
[ -e '/proc/sys/net/core/somaxconn' ] || fail 'this kernel does not know it: is a module missing?'
printf '%s\n' '4096' >'/proc/sys/net/core/somaxconn'
# level
# command:as-user
(cd / && su -s /bin/sh 'deploy' -c 'id >id')
# command:migrate
[ ! -e '/var/lib/migrated' ] || exit 254
(cd / && sh -c 'touch /var/lib/migrated')
# level
# action:apt-update
(cd / && sh -c 'apt-get update') || exit
settled 'action:apt-update'
# level
# unit:nginx.service
systemctl enable -- 'nginx.service' || exit 1
systemctl reload-or-restart -- 'nginx.service' || exit 1
settled 'unit:nginx.service'
# level
# action:network
if [ -e '/var/lib/nimbus/arming/action:network' ] && read -r x y at <'/var/lib/nimbus/arming/action:network' && ago=$(($(date +%s) - ${at:-0})) &&
  [ $ago -lt 360 ] && [ $ago -gt -360 ]; then
  fail 'an earlier try is still running, or about to be undone'
fi
state arming; state awaiting; state undone
if [ -e "$S"/confirmed-'action:network' ]; then rm -rf "$S"/undo/'action:network' && rm -f "$S"/confirmed-'action:network' || exit 1; fi
state undo/'action:network'
rm -f '/var/lib/nimbus/undone/action:network' '/var/lib/nimbus/awaiting/action:network'
(umask 077; { printf %s 'KEEP='\''/var/lib/nimbus/undo/action:network/keep'\''
netplan apply
'; } >'/var/lib/nimbus/undo/action:network.undo' && { printf %s '{
n=$1 t=$2 i=0 S=/var/lib/nimbus
ours() { [ -f "$1" ] && read -r x y <"$1" && [ "$x" = "$t" ]; }
if [ "$3" != now ]; then
  while [ "$i" -lt "$3" ]; do
    ours "$S/arming/$n" || ours "$S/awaiting/$n" || exit 0
    sleep 1
    i=$((i + 1))
  done
fi
ours "$S/arming/$n" || ours "$S/awaiting/$n" || exit 0
mv "$S/awaiting/$n" "$S/undoing-$n" 2>/dev/null || mv "$S/arming/$n" "$S/undoing-$n" 2>/dev/null ||
  mv "$S/awaiting/$n" "$S/undoing-$n" 2>/dev/null || exit 0
read -r x trial y <"$S/undoing-$n"
for d in "$S/undo/$n"/*/; do
  [ -f "$d/path" ] || continue
  p=$(cat "$d/path")
  if [ -e "$d/old" ] || [ -L "$d/old" ]; then
    rm -f "${p%/*}/.nimbus-undo"
    cp -pP "$d/old" "${p%/*}/.nimbus-undo" && mv -f "${p%/*}/.nimbus-undo" "$p"
  else
    rm -f "$p"
  fi
done
(cd / && sh "$S/undo/$n.undo") </dev/null >/dev/null 2>&1
# The disk may be full: what was kept makes room.
rm -rf "$S/undo/$n" "$S/undo/$n.undo"
mkdir -p "$S/undone" && printf '\''%s\n'\'' "$trial" >"$S/undone/$n"
rm -f "$S/pending/$n" "$S/undoing-$n"
exit 0
}
'; } >'/var/lib/nimbus/watchdog') || fail 'cannot write the undo: is the disk full?'
(umask 077; printf '%s %s %s\n' 'T0ken' '37107b47f9e02851' "$(date +%s)" >'/var/lib/nimbus/arming/action:network') || exit 1
durable '/var/lib/nimbus/arming/action:network'
if [ -d /run/systemd/system ] && systemd-run --quiet --collect sh '/var/lib/nimbus/watchdog' 'action:network' 'T0ken' 60 </dev/null >/dev/null 2>&1; then :
elif have setsid; then setsid sh '/var/lib/nimbus/watchdog' 'action:network' 'T0ken' 60 </dev/null >/dev/null 2>&1 &
else (trap '' HUP; exec sh '/var/lib/nimbus/watchdog' 'action:network' 'T0ken' 60) </dev/null >/dev/null 2>&1 &
fi
(cd / && KEEP='/var/lib/nimbus/undo/action:network/keep' sh -c 'netplan apply') || {
  sh '/var/lib/nimbus/watchdog' 'action:network' 'T0ken' now
  fail 'it failed, and was undone'
}
mv -f '/var/lib/nimbus/arming/action:network' '/var/lib/nimbus/awaiting/action:network'
