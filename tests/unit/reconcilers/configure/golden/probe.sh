{
set -u
LC_ALL=C LANGUAGE=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL LANGUAGE PATH
exec </dev/null 2>/dev/null
have() { command -v "$1" >/dev/null; }
first() { v=; [ -r "$1" ] && { IFS= read -r v <"$1" || [ -n "$v" ]; }; }
clean() { case $1 in *[[:cntrl:]]*) return 1 ;; esac; }
limit=; have timeout && limit='timeout 20'
systemd=0; [ -d /run/systemd/system ] && have systemctl && systemd=1
root=0; [ "$(id -u)" = 0 ] && root=1
manager=none
if have apt-get && have dpkg-query; then manager=apt
elif have dnf && have rpm; then manager=dnf
elif have zypper && have rpm; then manager=zypper
elif have apk; then manager=apk
fi
probe() {
printf 'clock\t%s\n' "$(date +%s.%N)"
printf 'host\t%s\t%s\t%s\n' "$systemd" "$root" "$manager"
(. /etc/os-release && clean "${ID-}${VERSION_ID-}" && printf 'os\t%s\t%s\n' "${ID-}" "${VERSION_ID-}")
first /proc/sys/kernel/osrelease && printf 'kernel\t%s\n' "$v"
first /proc/loadavg && printf 'load\t%s\n' "$v"
first /proc/uptime && printf 'uptime\t%s\n' "${v%% *}"
if [ -r /proc/meminfo ]; then
  while read -r name kib unit; do
    case $name in
      MemTotal:) printf 'memory\ttotal\t%s\n' "$kib" ;;
      MemAvailable:) printf 'memory\tavailable\t%s\n' "$kib"; break ;;
    esac
  done </proc/meminfo
fi
if [ "$manager" = apt ]; then
  v=0; { [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; } && v=1
  printf 'reboot\t%s\n' $v
fi
printf 'df\n'
$limit df -P -k -l || $limit df -P -k
printf 'df-end\n'
if [ "$systemd" = 1 ]; then
  printf 'failed\n'
  $limit systemctl list-units --state=failed --no-legend --plain --no-pager
  printf 'failed-end\t%s\n' $?
fi
for kind in pending undone awaiting; do
  for f in /var/lib/nimbus/$kind/*; do
    [ -f "$f" ] && clean "$f" || continue
    first "$f"
    clean "$v" && printf '%s\t%s\t%s\n' "$kind" "${f##*/}" "$v"
  done
done
told=1
stat -c 'path	%f	%U	%G	%s	%n' -- '/etc/alias' '/etc/app' '/etc/app/token' '/etc/checked' '/etc/netplan/60-nimbus.yaml' '/etc/nginx/it'\''s $HOME; "x".conf' '/etc/old' '/srv/gone'; [ $? -le 1 ] || told=0
[ $told = 1 ] && printf 'told\tpaths\n'
find '/etc/app/token' '/etc/checked' '/etc/netplan/60-nimbus.yaml' '/etc/nginx/it'\''s $HOME; "x".conf' -maxdepth 0 -type f -size -18c -exec sha256sum {} +
[ -L '/etc/alias' ] && v=$(readlink '/etc/alias') && clean "$v" && printf 'link\t%s\t%s\n' '/etc/alias' "$v"
[ $root = 1 ] && printf 'told\towned\t%s\n' '/etc/sudoers.d/nimbus-'
for f in '/etc/sudoers.d'/'nimbus-'*; do [ -e "$f" ] || [ -L "$f" ] || continue
[ -d "$f" ] && [ ! -L "$f" ] && continue
clean "$f" && printf 'owned\t%s\t%s\n' '/etc/sudoers.d/nimbus-' "$f"; done
told=1
case $manager in
apt)
dpkg-query -W -f='package\t${Package}\t${Architecture}\t${db:Status-Status}\t${db:Status-Want}\t${Version}\n' 'chrony' 'nginx' 'telnet'; [ $? -le 1 ] || told=0
;;
dnf|zypper)
rpm -q --qf 'package\t%{NAME}\t%{ARCH}\tinstalled\tinstall\t%{VERSION}-%{RELEASE}\n' 'chrony' 'nginx' 'telnet' | grep '^package	'; [ $? -le 1 ] || told=0
;;
apk) sed -n '/^P:/{N;s/^P:\(.*\)\nV:\(.*\)/package	\1	any	installed	install	\2/p;}' /lib/apk/db/installed || told=0 ;;
*) told=0 ;;
esac
[ $told = 1 ] && printf 'told\tpackages\n'
told=1 found=
if have getent; then
v=$(getent passwd 'deploy' 'mallory'); s=$?; [ $s = 0 ] || [ $s = 2 ] || told=0; found="$found
$v"
else v=$(grep -e '^deploy:' -e '^mallory:' /etc/passwd); s=$?; [ $s -le 1 ] || told=0; found=$v
fi
printf '%s\n' "$found" | while IFS=: read -r n p u g c h s; do
[ -n "$n" ] && clean "$n$u$g$h$s" || continue
printf 'user\t%s\t%s\t%s\t%s\t%s\n' "$n" "$u" "$g" "$h" "$s"
case $n in 'deploy')
k=$h/.ssh/authorized_keys
if [ -L "$k" ] || [ -L "$h/.ssh" ]; then :
elif [ -f "$k" ]; then v=$(head -c 65537 "$k" && echo .) && [ ${#v} -le 65537 ] &&
v=$(printf %s "${v%.}" | sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' -e "s/^/key	$n	/") &&
[ ${#v} -le 98304 ] && printf '%s\ntold\tkeys\t%s\n' "$v" "$n"
elif [ ! -e "$k" ] && [ $root = 1 ]; then printf 'told\tkeys\t%s\n' "$n"
fi ;; esac
done
[ $told = 1 ] && printf 'told\tusers\n'
told=1 found=
if have getent; then
v=$(getent group 'oldies' 'wheel'); s=$?; [ $s = 0 ] || [ $s = 2 ] || told=0; found="$found
$v"
else v=$(grep -e '^oldies:' -e '^wheel:' /etc/group); s=$?; [ $s -le 1 ] || told=0; found=$v
fi
printf '%s\n' "$found" | while IFS=: read -r n p g m; do
[ -n "$n" ] && clean "$n$g$m" || continue
printf 'group\t%s\t%s\t%s\n' "$n" "$g" "$m"
done
[ $told = 1 ] && printf 'told\tgroups\n'
if [ $systemd = 1 ]; then
printf 'units\n'; $limit systemctl show --no-pager -p Id,LoadState,ActiveState,UnitFileState -- 'nginx.service'; printf 'units-end\t%s\n' $?
fi
printf 'sysctls\n'; grep -s -H -e '' -- '/proc/sys/net/core/somaxconn'; printf 'sysctls-end\n'
first /proc/sys/kernel/osrelease; builtin=/lib/modules/$v/modules.builtin
module() { if [ -d "/sys/module/$2" ] || grep -q "/$3\.ko" "$builtin"; then v=1; else v=0; fi; printf 'module\t%s\t%s\n' "$1" $v; }
if [ -d /sys/module ]; then
module 'nf-tables' 'nf_tables' 'nf[-_]tables'
fi
printf 'tables\n'
grep -s -H -F -e ' /srv/da\040ta ' -- /proc/self/mounts
grep -s -H -F -e '/srv/da\040ta' -e '/swapfile' -- /proc/swaps /etc/fstab
printf 'tables-end\n'
[ -r /proc/self/mounts ] && have grep && printf 'told\ttables\n'
mounted() { v=; while read -r a b c; do [ "$b" = "$1" ] && v=$a; done </proc/self/mounts; }
number() { v=$(stat -L -c %t:%T -- "$1" 2>/dev/null); }
mount_source() {
mounted "$3"; m=$v d=$2 r=0; [ -n "$m" ] || return
if [ $4 = bind ]; then [ "$d" -ef "$1" ] && r=1; else
[ -b "$m" ] || return
if [ $4 = tag ]; then have findfs || return; d=$(findfs "$d" 2>/dev/null); fi
if [ -f "$d" ]; then [ -d "/sys/class/block/${m##*/}" ] || return
first "/sys/class/block/${m##*/}/loop/backing_file"; [ -n "$v" ] && [ "$v" -ef "$d" ] && r=1
elif [ -b "$d" ]; then number "$d"; n=$v; number "$m"; [ -n "$n" ] && [ -n "$v" ] || return; [ "$n" = "$v" ] && r=1; fi
fi
printf 'mount\t%s\t%s\n' "$1" $r
}
if [ $root = 1 ]; then
mount_source '/srv/da ta' 'UUID=0a1b' '/srv/da\040ta' tag
fi
first /proc/sys/kernel/hostname || v=$(uname -n); clean "$v" && printf 'hostname\tnow\t%s\n' "$v"
first /etc/hostname && clean "$v" && printf 'hostname\tfile\t%s\n' "$v"
v=$(readlink /etc/localtime) && clean "$v" && printf 'timezone\t%s\n' "$v"
for f in /etc/default/locale /etc/locale.conf; do [ -r $f ] || continue
while IFS= read -r v || [ -n "$v" ]; do case $v in LANG=*) clean "$v" && printf 'locale\t%s\n' "${v#LANG=}"; break 2 ;; esac; done <$f
done
if [ ! -e '/etc/hosts' ] && [ $root = 1 ] || { [ -f '/etc/hosts' ] && sed -n -e '/^# nimbus:hosts begin$/,/^# nimbus:hosts end$/s/^/block	0	/p' '/etc/hosts'; }; then printf 'told\tblocks\t%s\n' '/etc/hosts'; fi
(cd / && $limit su -s /bin/sh 'deploy' -c 'test -e id') >/dev/null; case $? in 0) v=1 ;; *) v=0 ;; esac; printf 'command\t%s\t%s\n' 'command:as-user' $v
{ [ -e '/var/lib/migrated' ] || [ -L '/var/lib/migrated' ]; }; case $? in 0) v=1 ;; *) v=0 ;; esac; printf 'command\t%s\t%s\n' 'command:migrate' $v
}
v=$(probe)
printf 'nimbus-probe\t1\tT0ken\tbegin\n%s\nnimbus-probe\t1\tT0ken\tend\n' "$v"
exit 0
}
