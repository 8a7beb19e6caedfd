#include "reconcilers/configure/prelude.hpp"

namespace nimbus::reconcilers::configure {

// Names with control characters cannot be told in lines and are left out.
const char* const kProbePrelude = R"SH(set -u
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
)SH";

// What costs no process is asked always; the rest of the health is one df and one systemctl.
const char* const kProbeHealth = R"SH(printf 'clock\t%s\n' "$(date +%s.%N)"
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
)SH";

// work_in: files are made in a private folder beside their place, entered by `cd`: who owns
// the place can neither look into it nor put a link there, and a rename is atomic. What a
// killed script left of it is removed by the next one, unless a validation is unfinished:
// then .old in it is the last version that was good.
// into: a link on the way to a place counts if root made it, or whoever owns what it leads to. Others
// could lead root anywhere: what is declared for a home would come to lie in /etc.
const char* const kCorrectionPrelude = R"SH(set -u
umask 022
LC_ALL=C LANGUAGE=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL LANGUAGE PATH
DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND
exec </dev/null
cd / || exit 1
S=/var/lib/nimbus batch='
0'
have() { command -v "$1" >/dev/null 2>&1; }
fail() { printf '%s\n' "$*"; exit 1; }
# Secrets must not become arguments of a process.
[ "$(command -v printf)" = printf ] || fail 'this shell has no printf of its own'
durable() { sync "$1" 2>/dev/null || :; }
state() { [ -d "$S/$1" ] || (umask 077; mkdir -p "$S/$1") || fail "cannot make $S/$1: is the disk full?"; }
note() {
  state pending
  for n; do (umask 077; : >"$S/pending/$n") || fail "cannot write $S/pending: is the disk full?"; done
  durable "$S/pending"
}
settled() { rm -f "$S/pending/$1"; }
known() { if have getent; then getent "$1" "$2" >/dev/null; else grep -q "^$2:" "/etc/$1"; fi; }
into() {
  cd "$1" || fail "there is no folder $1"
  here=$(pwd -P)
  [ "$here" != "$1" ] || return 0
  owner=$(stat -c %u .) rest=$1 at='' links=0
  while [ -n "$rest" ]; do
    name=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
    case $name in
      '' | .) ;;
      ..) at=${at%/*} ;;
      *)
        if [ ! -L "$at/$name" ]; then at=$at/$name; continue; fi
        by=$(stat -c %u "$at/$name") to=$(readlink "$at/$name") links=$((links + 1))
        [ "$links" -le 40 ] && { [ "$by" = 0 ] || [ "$by" = "$owner" ]; } || fail "somebody else made $at/$name, a link on the way"
        rest=$to/$rest
        case $to in /*) at='' ;; esac
        ;;
    esac
  done
  [ "${at:-/}" = "$here" ] || fail "a link on the way to $1 changes"
}
work_in() {
  into "$1"
  W=.nimbus-$2 K=${3-}
  rm -rf "./$W" && mkdir -m 700 "./$W" && cd "./$W" || fail "cannot work in $1: is the disk full?"
  trap 'cd .. && { [ -n "$K" ] && [ -e "$S/pending/$K" ] || rm -rf "./$W"; }' EXIT
  [ "$(stat -c %u .)" = "$(id -u)" ] || fail "somebody else made $1/$W"
}
recover() {
  [ -e "$S/pending/$4" ] || return 0
  [ ! -d "$1/.nimbus-$2" ] || [ "$(stat -c %u "$1/.nimbus-$2")" = "$(id -u)" ] || fail "somebody else made $1/.nimbus-$2"
  if [ -e "$1/.nimbus-$2/.old" ]; then mv -f "$1/.nimbus-$2/.old" "$1/$3" || exit 1
  elif [ -d "$1/.nimbus-$2" ]; then rm -f "$1/$3"
  fi
  settled "$4"
}
holds() { ! have sha256sum || [ "$(sha256sum <"$1")" = "$2  -" ]; }
go_live() {
  [ -L "../$1" ] || [ ! -d "../$1" ] || fail 'a folder is in the way'
  [ ! -L "../$1" ] || rm -f "../$1" || exit 1
  mv -f "./$1" "../$1" || exit 1
  durable ..
}
save_old() {
  # Confirmed, and killed before it was told: what was kept for it is too old now.
  [ ! -e "$S/confirmed-$1" ] || { rm -rf "$S/undo/$1" && rm -f "$S/confirmed-$1" || exit 1; }
  d=$S/undo/$1/$2
  [ ! -e "$d/path" ] || return 0
  rm -rf "$d"
  state "undo/$1/$2"
  if [ -e "$3" ] || [ -L "$3" ]; then cp -pP "$3" "$d/old" || fail 'cannot keep the old version: is the disk full?'; fi
  (umask 077; printf %s "$3" >"$d/path") || fail 'cannot keep the old version: is the disk full?'
  durable "$d/path"
}
fstab_set() (
  work_in /etc fstab
  {
    placed=
    if [ -f ../fstab ]; then
      while IFS= read -r l || [ -n "$l" ]; do
        read -r a b c <<EOF
$l
EOF
        case $a in '#'*) k= ;; *) if [ "$1" = 1 ]; then k=$a; else k=$b; fi ;; esac
        if [ "$k" != "$2" ]; then printf '%s\n' "$l" || exit 1
        elif [ -n "$3" ] && [ -z "$placed" ]; then printf '%s\n' "$3" || exit 1; placed=1
        fi
      done <../fstab
    fi
    [ -n "$placed" ] || [ -z "$3" ] || printf '%s\n' "$3" || exit 1
  } >./fstab || fail 'cannot write /etc/fstab: is the disk full?'
  chmod 644 ./fstab && durable ./fstab && go_live fstab
)
busy_if_locked() {
  case $1 in
    *'Could not get lock'* | *'Unable to acquire the dpkg'* | *'frontend lock was locked'* | *'database is locked'* | *'is locked by another process'*) exit 75 ;;
  esac
}
apt_() {
  o=$(apt-get -y -q -o DPkg::Lock::Timeout=30 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@" 2>&1)
  s=$?
  printf '%s\n' "$o"
  [ $s = 0 ] || busy_if_locked "$o"
  return $s
}
# Lists may be old or, on a new host, not there: they are fetched when something failed.
apt_install() {
  case $(ls /var/lib/dpkg/updates 2>/dev/null) in ?*) dpkg --force-confold --configure -a 2>&1 || : ;; esac
  apt_ "$@" || { apt_ update; apt_ "$@"; }
}
apt_is() {
  v=$(dpkg-query -W -f='${db:Status-Status} ${Version}' "$1" 2>/dev/null) || v=
  case $2 in
    absent) case $v in 'installed '*) return 1 ;; esac ;;
    any) case $v in 'installed '*) ;; *) return 1 ;; esac ;;
    *) [ "$v" = "installed $2" ] ;;
  esac
}
last() { printf '%s' "${1##*
}"; }
run() {
  printf 'nimbus\t%s\tstart\t%s\n' "$TOKEN" "$1"
  o=$( { (step_"$1") 2>&1; printf '\n%s' $?; } | tail -c 2000)
  s=$(last "$o")
  printf '%s\n' "${o%
*}" | sed 's/^/|/'
  printf 'nimbus\t%s\tdone\t%s\t%s\n' "$TOKEN" "$1" "$s"
}
)SH";

// An action is `arming` while it runs and `awaiting` from its success to its confirmation.
// Whoever moves the marker away (this script, or the one that confirms) decides; the other
// one finds nothing.
const char* const kWatchdog = R"SH({
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
mkdir -p "$S/undone" && printf '%s\n' "$trial" >"$S/undone/$n"
rm -f "$S/pending/$n" "$S/undoing-$n"
exit 0
}
)SH";

}  // namespace nimbus::reconcilers::configure
