// Host name, time zone, locale.
#include <fmt/core.h>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::SettingKind;

std::string shown_value(const std::string& value) { return value.empty() ? "not set" : value; }

void set_hostname(const std::string& name, Step& step) {
  step.line("if [ -d /run/systemd/system ] && have hostnamectl; then");
  step.line("  hostnamectl set-hostname " + quote(name));
  step.line("else");
  step.line(fmt::format(
      "  (work_in /etc hostname && printf '%s\\n' {} >./hostname && chmod 644 ./hostname && go_live hostname) &&",
      quote(name)));
  step.line(fmt::format("  printf '%s\\n' {} >/proc/sys/kernel/hostname\nfi", quote(name)));
}

void set_timezone(const std::string& zone, Step& step) {
  const auto target = quote("/usr/share/zoneinfo/" + zone);
  step.line(fmt::format("[ -f {} ] || fail 'there is no such time zone: is tzdata installed?'", target));
  step.line(fmt::format("(work_in /etc localtime && ln -s {} ./localtime && go_live localtime) || exit 1", target));
  step.line(fmt::format(
      "[ ! -f /etc/timezone ] || (work_in /etc timezone && printf '%s\\n' {} >./timezone && go_live timezone)",
      quote(zone)));
}

/// Debian makes locales on the host, others bring them along.
void set_locale(const std::string& locale, Step& step) {
  const auto dot = locale.find('.');
  const auto charset = dot == std::string::npos ? "ISO-8859-1" : locale.substr(dot + 1);
  const auto value = quote(locale);
  const bool always = locale == "C" || locale == "POSIX" || locale == "C.UTF-8";
  if (!always) {
    step.line(fmt::format("there() {{ ! have locale || locale -a 2>/dev/null | sed 's/utf8$/UTF-8/' | grep -qxF {}; }}",
                          value));
    step.line("there || {\n  have locale-gen || fail 'there is no such locale, and no locale-gen'");
    step.line(
        fmt::format("  grep -qsxF {0} /etc/locale.gen || {{ [ -z \"$(tail -c 1 /etc/locale.gen 2>/dev/null)\" ] || "
                    "echo; printf '%s\\n' {0}; }} >>/etc/locale.gen || exit 1",
                    quote(locale + " " + charset)));
    step.line("  locale-gen && there || fail 'locale-gen did not make it'\n}");
  }
  step.line("f=locale.conf d=/etc; [ ! -f /etc/debian_version ] || f=locale d=/etc/default");
  step.line(fmt::format(
      "work_in $d locale\n{{ [ ! -f ../$f ] || grep -v '^LANG=' ../$f; printf 'LANG=%s\\n' {}; }} >./$f || exit 1",
      value));
  step.line("chmod 644 ./$f && go_live $f");
}

}  // namespace

void ask(const host::Setting& it, ProbeNeeds& needs) {
  switch (it.kind) {
    case SettingKind::Hostname:
      needs.hostname = true;
      break;
    case SettingKind::TimeZone:
      needs.timezone = true;
      break;
    case SettingKind::Locale:
      needs.locale = true;
      break;
  }
}

void check(const host::Setting& it, Check& check) {
  const auto& shown = check.shown;
  switch (it.kind) {
    case SettingKind::Hostname:
      if (shown.hostname.empty()) return check.unknown("the host did not tell its name");
      if (shown.hostname != it.value) check.differs("now", it.value, shown.hostname);
      if (shown.hostname_file != it.value) check.differs("file", it.value, shown_value(shown.hostname_file));
      break;
    case SettingKind::TimeZone:
      if (shown.timezone != it.value) check.differs("value", it.value, shown_value(shown.timezone));
      break;
    case SettingKind::Locale:
      if (shown.locale != it.value) check.differs("value", it.value, shown_value(shown.locale));
      break;
  }
}

void correct(const host::Setting& it, Step& step) {
  switch (it.kind) {
    case SettingKind::Hostname:
      return set_hostname(it.value, step);
    case SettingKind::TimeZone:
      return set_timezone(it.value, step);
    case SettingKind::Locale:
      return set_locale(it.value, step);
  }
}

}  // namespace nimbus::reconcilers::configure
